//! Every command in every step, and the ways through.

use jiff::civil::date;
use proptest::prelude::*;

use super::delivery::ShippingOption;
use super::*;

const TODAY: Date = date(2026, 11, 23);

fn purchase(amount: i64) -> Purchase {
    Purchase { country: Country::SE, amount, reuse: Reuse::Once }
}

fn beginning(kind: Kind) -> Beginning {
    Beginning {
        kind,
        categories: Vec::new(),
        finalizing: Finalizing::Automatic,
        purchase: purchase(159_800),
        known_contact: None,
        earlier: None,
        preferred: None,
        express: None,
        delivery: None,
    }
}

fn begun() -> Flow {
    Flow::begin(beginning(Kind::Authorize), TODAY).0
}

fn at(step: Step) -> Flow {
    let mut flow = begun();
    flow.contact = Some(Contact::Email("customer@email.se".into()));
    flow.assessment.step_up = Some(StepUp::IdScan);
    flow.delivery = Some(Delivery { options: vec![parcel()], ..Delivery::default() });
    flow.offer_anew(TODAY, None);
    flow.step = step;
    flow
}

fn parcel() -> ShippingOption {
    ShippingOption {
        shipping_option_reference: "parcel".into(),
        amount: 4_900,
        display_name: "Parcel".into(),
        description: None,
        shipping_type: None,
    }
}

fn address() -> Address {
    Address::new()
        .given_name("Alva")
        .family_name("Berg")
        .street_address("Karlaplan 3")
        .postal_code("11460")
        .city("Stockholm")
        .country(Country::SE)
}

fn profile() -> Profile {
    Profile {
        given_name: "Person".into(),
        family_name: "Test".into(),
        date_of_birth: "2000-01-01".into(),
        street_address: "Bodestr. 1-3".into(),
        postal_code: "10178".into(),
        city: "Berlin".into(),
    }
}

fn approval() -> Answer {
    Answer {
        approved: true,
        show_form: Some(true),
        authorization_token: Some("token".into()),
        finalize_required: None,
        error: None,
    }
}

type Command = fn(&mut Flow) -> Result<Next, Rejection>;

const COMMANDS: [(&str, Command, &[Step]); 9] = [
    (
        "identify",
        |flow| flow.identify("customer@email.se", |_| Assessment::default()),
        &[Step::Identify],
    ),
    ("enter_code", |flow| flow.enter_code("123456", TODAY), &[Step::Code]),
    ("back", Flow::back, &[Step::Code, Step::Shipping, Step::Review]),
    ("sign_up", |flow| flow.sign_up(profile(), TODAY), &[Step::SignUp]),
    ("step_up", |flow| flow.step_up("pass", TODAY), &[Step::Proof, Step::PayAtBank]),
    (
        "deliver_to",
        |flow| flow.deliver_to(address(), None, PageSays::Nothing, purchase(159_800), TODAY),
        &[Step::Address],
    ),
    (
        "ship",
        |flow| flow.ship("parcel", &PageSays::Nothing, purchase(159_800), TODAY),
        &[Step::Shipping],
    ),
    ("choose", |flow| flow.choose("pay_later"), &[Step::Choose]),
    ("confirm", |flow| flow.confirm(&purchase(159_800), TODAY), &[Step::Review]),
];

#[test]
fn every_command_in_every_step() {
    for (name, command, allowed) in COMMANDS {
        for step in Step::ALL {
            let mut flow = at(step);
            let before = flow.clone();
            let outcome = command(&mut flow);
            if allowed.contains(&step) {
                assert!(outcome.is_ok(), "{name} in {step:?}: {outcome:?}");
            } else {
                assert_eq!(outcome, Err(Rejection::WrongStep(step)), "{name}");
                assert_eq!(flow, before, "{name} in {step:?} must change nothing");
            }
        }
    }
}

#[test]
fn the_whole_way_to_an_approval() {
    let mut flow = begun();
    flow.identify(" Customer@Email.SE ", |contact| {
        assert_eq!(contact.as_str(), "customer@email.se");
        Assessment::default()
    })
    .unwrap();
    assert_eq!(flow.enter_code("123456", TODAY), Ok(Next::Show));
    assert_eq!(flow.step, Step::Choose);
    assert_eq!(flow.choose("instalments_3"), Ok(Next::Show));
    assert_eq!(flow.confirm(&purchase(159_800), TODAY), Ok(Next::Decide));
    flow.settle(approval());
    assert_eq!(flow.step, Step::Approved);
    assert_eq!(flow.answer, Some(approval()));
    flow.leave();
    assert_eq!(flow.answer, Some(approval()), "what was decided stays decided");
}

#[test]
fn a_hopeless_shopper_is_decided_right_after_the_code() {
    let mut flow = begun();
    let hopeless = Assessment { hopeless: true, ..Assessment::default() };
    flow.identify("customer+denied@email.se", |_| hopeless).unwrap();
    assert_eq!(flow.enter_code("123456", TODAY), Ok(Next::Decide));
    flow.settle(Answer::refused(false));
    assert_eq!(flow.step, Step::Declined);
}

#[test]
fn a_new_customer_signs_up_and_a_child_is_not_offered_anything() {
    let mut flow = begun();
    let new = Assessment { sign_up: true, ..Assessment::default() };
    flow.identify("customer+new_user@email.de", |_| new).unwrap();
    flow.enter_code("123456", TODAY).unwrap();
    assert_eq!(flow.step, Step::SignUp);
    for (born, outcome) in [
        ("2000-01-01", Ok(Next::Show)),
        ("2020-01-01", Ok(Next::Decide)),
        ("2030-01-01", Err(invalid("date_of_birth", Problem::BirthDate))),
        ("1 May", Err(invalid("date_of_birth", Problem::BirthDate))),
    ] {
        let profile = Profile { date_of_birth: born.into(), ..profile() };
        assert_eq!(flow.clone().sign_up(profile, TODAY), outcome, "{born}");
    }
    let nameless = Profile { family_name: " ".into(), ..profile() };
    assert_eq!(flow.sign_up(nameless, TODAY), Err(invalid("family_name", Problem::Required)));
    assert_eq!(flow.step, Step::SignUp);
}

#[test]
fn each_step_up_can_be_passed_and_failed() {
    use StepUp::{BankIdFi, BankLogin, CvvEntry, IdScan, Monthio, OtpEmail, OtpPhone};
    let passed = Ok(Some(StepUpOutcome::Passed));
    let failed = Ok(Some(StepUpOutcome::Failed));
    let cases = [
        (IdScan, "pass", passed),
        (IdScan, "fail", failed),
        (IdScan, "", Err(Problem::Required)),
        (BankLogin, "anyone", passed),
        (BankLogin, "fail", failed),
        (BankLogin, " ", Err(Problem::Required)),
        (Monthio, "anyone", passed),
        (Monthio, "FAIL", failed),
        (BankIdFi, "DEMOUSER4", passed),
        (BankIdFi, "anyone", failed),
        (CvvEntry, "123", passed),
        (CvvEntry, "999", failed),
        (CvvEntry, "12a", Err(Problem::CardCode)),
        (OtpEmail, "123456", passed),
        (OtpEmail, "999999", Err(Problem::WrongCode)),
        (OtpPhone, "12345", Err(Problem::Code)),
    ];
    for (step_up, answer, expected) in cases {
        let mut flow = at(Step::Proof);
        flow.assessment.step_up = Some(step_up);
        let outcome = match flow.step_up(answer, TODAY) {
            Ok(_) => Ok(flow.step_up_outcome),
            Err(Rejection::Invalid { problem, .. }) => Err(problem),
            Err(rejection) => panic!("{step_up:?} {answer}: {rejection}"),
        };
        assert_eq!(outcome, expected, "{step_up:?} {answer}");
    }
}

#[test]
fn the_bank_is_asked_at_once_or_by_finalize() {
    let mut flow = at(Step::Choose);
    flow.choose("bank").unwrap();
    let mut separate = Flow { finalizing: Finalizing::Separate, ..flow.clone() };
    assert_eq!(flow.confirm(&purchase(159_800), TODAY), Ok(Next::Show));
    assert_eq!(flow.step, Step::PayAtBank);
    assert_eq!(flow.clone().step_up("DEMOUSER4", TODAY), Ok(Next::Decide));
    flow.step_up("FAIL", TODAY).unwrap();
    assert_eq!(flow.answer, Some(Answer::refused(true)));

    assert_eq!(separate.confirm(&purchase(159_800), TODAY), Ok(Next::Decide));
    let half = Answer { authorization_token: None, finalize_required: Some(true), ..approval() };
    separate.settle(half);
    let (mut last, next) =
        Flow::begin(Beginning { earlier: Some(separate), ..beginning(Kind::Finalize) }, TODAY);
    assert_eq!((last.step, next), (Step::PayAtBank, Next::Show));
    last.leave();
    assert_eq!(last.answer, Some(Answer::refused(false)));
}

#[test]
fn finalize_without_an_open_approval_asks_nobody() {
    assert_eq!(Flow::begin(beginning(Kind::Finalize), TODAY).1, Next::Decide);
}

#[test]
fn reauthorize_asks_only_when_the_order_became_dearer() {
    let mut approved = at(Step::Review);
    approved.settle(approval());
    for (amount, step, next) in [
        (159_800, Step::Identify, Next::Decide),
        (100_000, Step::Identify, Next::Decide),
        (159_801, Step::Review, Next::Show),
    ] {
        let beginning = Beginning {
            purchase: purchase(amount),
            earlier: Some(approved.clone()),
            ..beginning(Kind::Reauthorize)
        };
        let (flow, then) = Flow::begin(beginning, TODAY);
        assert_eq!((flow.step, then), (step, next), "{amount}");
        assert_eq!(flow.chosen_offer().unwrap().total, amount);
    }
    let (mut alone, next) = Flow::begin(beginning(Kind::Reauthorize), TODAY);
    assert_eq!((alone.step, next), (Step::Identify, Next::Show));
    alone.leave();
    assert_eq!(alone.answer.unwrap().show_form, None, "reauthorize has no show_form");
}

#[test]
fn what_changed_under_way_is_shown_before_it_is_confirmed() {
    let mut flow = at(Step::Choose);
    flow.choose("instalments_3").unwrap();
    let dearer = purchase(200_000);
    assert_eq!(flow.confirm(&dearer, TODAY), Err(invalid("order", Problem::OrderChanged)));
    assert_eq!(flow.step, Step::Review);
    assert_eq!(flow.chosen_offer().unwrap().id, "instalments_3");
    assert_eq!(flow.chosen_offer().unwrap().total, 200_000);
    assert_eq!(flow.confirm(&dearer, TODAY), Ok(Next::Decide));
}

#[test]
fn contacts_are_read_kindly_but_not_blindly() {
    let email = |text: &str| Some(Contact::Email(text.to_owned()));
    let phone = |text: &str| Some(Contact::Phone(text.to_owned()));
    for (text, expected) in [
        ("customer+denied@email.co.uk", email("customer+denied@email.co.uk")),
        ("A@B.se", email("a@b.se")),
        ("+46 70-174 06 15", phone("+46701740615")),
        ("+4306762600456", phone("+4306762600456")),
        ("(310) 668-3312", phone("3106683312")),
        ("", None),
        ("someone", None),
        ("a@b", None),
        ("@email.se", None),
        ("a b@email.se", None),
        ("a@@email.se", None),
        ("123456", None),
        ("1234567890123456", None),
        ("46+701740615", None),
        ("+46701740615x", None),
    ] {
        assert_eq!(Contact::parse(text), expected, "{text}");
    }
    assert_eq!(Contact::Email("customer@email.se".into()).masked(), "c•••@email.se");
    assert_eq!(Contact::Phone("+46701740615".into()).masked(), "••• 615");
}

proptest! {
    /// Whatever the shopper does, a flow never panics, never leaves its end, and has an answer
    /// exactly when it is over.
    #[test]
    fn any_sequence_of_commands(commands in proptest::collection::vec(0_usize..10, 0..40)) {
        let mut flow = begun();
        for index in commands {
            let before = flow.clone();
            let next = match COMMANDS.get(index) {
                Some((_, command, _)) => command(&mut flow),
                None if index == 7 => flow.choose("bank"),
                None if index == 8 => flow.step_up("FAIL", TODAY),
                None => { flow.leave(); Ok(Next::Show) }
            };
            if next == Ok(Next::Decide) {
                flow.settle(approval());
            }
            if before.step.is_end() {
                prop_assert_eq!(&before, &flow);
            }
            prop_assert_eq!(flow.answer.is_some(), flow.step.is_end());
        }
    }

    #[test]
    fn no_contact_breaks_the_reader(text in "\\PC{0,40}") {
        if let Some(contact) = Contact::parse(&text) {
            prop_assert!(!contact.masked().is_empty());
        }
    }
}

fn at_address(delivery: Delivery) -> Flow {
    let express = Some(Express { collects_address: true });
    let beginning = Beginning { delivery: Some(delivery), express, ..beginning(Kind::Authorize) };
    let mut flow = Flow::begin(beginning, TODAY).0;
    flow.identify("customer@email.se", |_| Assessment::default()).unwrap();
    assert_eq!(flow.enter_code("123456", TODAY), Ok(Next::Show));
    assert_eq!(flow.step, Step::Address);
    flow
}

fn deliver(flow: &mut Flow, address: Address, says: PageSays) -> Result<Next, Rejection> {
    flow.deliver_to(address, None, says, purchase(164_700), TODAY)
}

#[test]
fn where_goods_go_is_asked_before_how_they_are_paid() {
    let mut flow = at_address(Delivery::default());
    assert_eq!(deliver(&mut flow, address(), PageSays::Nothing), Ok(Next::Show));
    assert_eq!((flow.step, flow.purchase.amount), (Step::Choose, 164_700));
    assert!(flow.offers.iter().all(|offer| offer.total - offer.cost == 164_700));

    let mut flow = at_address(Delivery { asks_page: true, ..Delivery::default() });
    let selected = Some("parcel".to_owned());
    let says = PageSays::Offers { options: vec![parcel()], selected };
    assert_eq!(deliver(&mut flow, address(), says), Ok(Next::Show));
    assert_eq!(flow.step, Step::Shipping);
    let unknown = flow.ship("drone", &PageSays::Nothing, purchase(1), TODAY);
    assert_eq!(unknown, Err(invalid("option", Problem::NotDelivered)));
    let rejects = PageSays::Rejects("INVALID_OPTION".into());
    let rejected = flow.ship("parcel", &rejects, purchase(1), TODAY);
    assert_eq!(rejected, Err(invalid("option", Problem::NotDelivered)));
    assert_eq!(flow.ship("parcel", &PageSays::Nothing, purchase(164_700), TODAY), Ok(Next::Show));
    assert_eq!(flow.step, Step::Choose);
}

#[test]
fn an_address_that_is_not_delivered_to_is_asked_for_again() {
    for (says, field) in [
        ("COUNTRY_NOT_SUPPORTED", "country"),
        ("REGION_NOT_SUPPORTED", "region"),
        ("CITY_NOT_SUPPORTED", "city"),
        ("POSTAL_CODE_NOT_SUPPORTED", "postal_code"),
        ("ADDRESS_NOT_SUPPORTED", "street_address"),
        ("whatever", "street_address"),
    ] {
        let mut flow = at_address(Delivery::default());
        let before = flow.clone();
        let outcome = deliver(&mut flow, address(), PageSays::Rejects(says.to_owned()));
        assert_eq!(outcome, Err(invalid(field, Problem::NotDelivered)));
        assert_eq!(flow, before);
    }
    let mut flow = at_address(Delivery { countries: vec![Country::FI], ..Delivery::default() });
    let outcome = deliver(&mut flow, address(), PageSays::Nothing);
    assert_eq!(outcome, Err(invalid("country", Problem::NotDelivered)));
    let outcome = deliver(&mut flow, address().country(Country::FI), PageSays::Nothing);
    assert_eq!(outcome, Ok(Next::Show));
    let mut flow = at_address(Delivery::default());
    let outcome = deliver(&mut flow, address().city(" "), PageSays::Nothing);
    assert_eq!(outcome, Err(invalid("city", Problem::Required)));
    let wrong = Some("shipping_address.postal_code");
    let outcome = flow.deliver_to(address(), wrong, PageSays::Nothing, purchase(1), TODAY);
    assert_eq!(outcome, Err(invalid("postal_code", Problem::Address)));
}

#[test]
fn a_preference_is_what_is_chosen_at_first() {
    let preferred = Some(OfferKind::Instalments);
    let mut flow = Flow::begin(Beginning { preferred, ..beginning(Kind::Authorize) }, TODAY).0;
    flow.identify("customer@email.se", |_| Assessment::default()).unwrap();
    flow.enter_code("123456", TODAY).unwrap();
    assert_eq!(flow.chosen_offer().map(|offer| offer.kind), preferred);
}

#[test]
fn express_in_several_steps_is_finalized_without_asking_unless_the_bank_must_be_asked() {
    for (offer, step) in [("pay_later", Step::Identify), ("bank", Step::PayAtBank)] {
        let mut flow = at_address(Delivery::default());
        flow.finalizing = Finalizing::Always;
        deliver(&mut flow, address(), PageSays::Nothing).unwrap();
        flow.choose(offer).unwrap();
        assert_eq!(flow.confirm(&purchase(164_700), TODAY), Ok(Next::Decide), "{offer}");
        flow.settle(Answer {
            authorization_token: None,
            finalize_required: Some(true),
            ..approval()
        });
        let earlier = Some(flow.clone());
        let (finalizing, next) =
            Flow::begin(Beginning { earlier, ..beginning(Kind::Finalize) }, TODAY);
        assert_eq!(finalizing.step, step, "{offer}");
        assert_eq!(next == Next::Decide, offer == "pay_later");
        assert_eq!((finalizing.express, finalizing.delivery), (flow.express, flow.delivery));
    }
}
