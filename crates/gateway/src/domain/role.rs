//! What people may do in the dashboard: roles, permissions, and which page or form needs which.
//!
//! Roles are a ladder: each may do what the one below may, and more. One table says what each page
//! and form needs; a form that is not in it needs an admin.

/// What somebody is at the merchant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks, and touches nothing.
    Viewer,
    /// Helps shoppers: captures, cancels, takes payments at the counter.
    Support,
    /// Gives money back, charges, settles what is in doubt.
    Finance,
    /// Manages stores, keys and people, too.
    Admin,
}

impl Role {
    /// Every role, from the least to the most.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Support, Self::Finance, Self::Admin];

    /// Its name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Support => "support",
            Self::Finance => "finance",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What it may do, for people.
    pub fn says(self) -> &'static str {
        match self {
            Self::Viewer => "Sees everything but keys and people, changes nothing",
            Self::Support => "Captures, cancels, takes payments at the counter",
            Self::Finance => "Also refunds, charges, exports and settles what is in doubt",
            Self::Admin => "Also manages stores, keys and people",
        }
    }

    /// Whether it may do something.
    pub fn may(self, permission: Permission) -> bool {
        self >= match permission {
            Permission::Own | Permission::See => Self::Viewer,
            Permission::Serve => Self::Support,
            Permission::MoveMoney => Self::Finance,
            Permission::Administer => Self::Admin,
        }
    }
}

/// What somebody may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// One's own account: password, second factor, sessions.
    Own,
    /// Look at payments, subscriptions and what is in doubt.
    See,
    /// Serve shoppers: capture, cancel, release, ship, take payments at the counter, look again.
    Serve,
    /// Move money to a shopper or charge one, settle operations by one's word, take payments away as
    /// a file.
    MoveMoney,
    /// Manage stores, credentials, webhooks, keys and people; read the audit log.
    Administer,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 5] =
        [Self::Own, Self::See, Self::Serve, Self::MoveMoney, Self::Administer];
}

/// What a page or form needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nobody has to be signed in.
    Nobody,
    /// Somebody with this permission.
    May(Permission),
}

/// One row: a method, a route as it is registered, the value of its `{action}` (any, if none is
/// given), and what it needs. Of several rows the first that fits counts.
pub type Page = (&'static str, &'static str, Option<&'static str>, Needs);

/// Where the buttons of a payment are sent to.
pub const PAYMENT_ACTION: &str = "/dashboard/payments/{id}/{action}";

/// Where the buttons of a subscription are sent to.
pub const SUBSCRIPTION_ACTION: &str = "/dashboard/subscriptions/{id}/{action}";

/// Where the buttons of a customer token are sent to.
pub const TOKEN_ACTION: &str = "/dashboard/customer-tokens/{id}/{action}";

/// Where a plan is archived.
pub const PLAN_ARCHIVE: &str = "/dashboard/plans/{id}/archive";

/// Every page and form of the dashboard.
pub const PAGES: &[Page] = {
    use Needs::{May, Nobody};
    use Permission::{Administer, MoveMoney, Own, See, Serve};
    const PAYMENT: &str = PAYMENT_ACTION;
    const OPERATION: &str = "/dashboard/operations/{id}/{action}";
    const SUBSCRIPTION: &str = SUBSCRIPTION_ACTION;
    &[
        ("GET", "/", None, Nobody),
        ("GET", "/dashboard/assets/style.css", None, Nobody),
        ("GET", "/dashboard/assets/dashboard.js", None, Nobody),
        ("GET", "/dashboard/assets/overview.js", None, Nobody),
        ("GET", "/dashboard/sign-in", None, Nobody),
        ("POST", "/dashboard/sign-in", None, Nobody),
        ("GET", "/dashboard/sign-in/code", None, Nobody),
        ("POST", "/dashboard/sign-in/code", None, Nobody),
        ("GET", "/dashboard/invitation", None, Nobody),
        ("POST", "/dashboard/invitation", None, Nobody),
        ("POST", "/dashboard/sign-out", None, May(Own)),
        // Payments.
        ("GET", "/dashboard", None, May(See)),
        ("GET", "/dashboard/overview", None, May(See)),
        ("GET", "/dashboard/disputes", None, May(See)),
        ("GET", "/dashboard/payouts", None, May(See)),
        ("GET", "/dashboard/payouts/{id}", None, May(See)),
        ("GET", "/dashboard/stream", None, May(See)),
        ("GET", "/dashboard/payments.csv", None, May(MoveMoney)),
        ("GET", "/dashboard/account/views", None, May(Own)),
        ("POST", "/dashboard/account/views", None, May(Own)),
        ("POST", "/dashboard/account/views/{id}/{action}", None, May(Own)),
        ("POST", "/dashboard/views", None, May(Administer)),
        ("POST", "/dashboard/views/{id}/{action}", None, May(Administer)),
        ("GET", "/dashboard/payments/{id}", None, May(See)),
        ("POST", PAYMENT, Some("capture"), May(Serve)),
        ("POST", PAYMENT, Some("cancel"), May(Serve)),
        ("POST", PAYMENT, Some("release"), May(Serve)),
        ("POST", PAYMENT, Some("extend_authorization"), May(Serve)),
        ("POST", PAYMENT, Some("update_customer_details"), May(Serve)),
        ("POST", PAYMENT, Some("update_merchant_references"), May(Serve)),
        ("POST", PAYMENT, Some("add_shipping_info"), May(Serve)),
        ("POST", PAYMENT, Some("resend_communication"), May(Serve)),
        ("POST", PAYMENT, Some("extend_due_date"), May(Serve)),
        ("POST", PAYMENT, Some("acknowledge"), May(Serve)),
        ("POST", PAYMENT, None, May(MoveMoney)),
        ("GET", "/dashboard/payments/{id}/due-date/{capture_id}", None, May(Serve)),
        ("GET", "/dashboard/expiry", None, May(See)),
        ("POST", "/dashboard/expiry", None, May(Administer)),
        ("GET", "/dashboard/payments/{id}/stream", None, May(See)),
        // Where the shop is told of events.
        ("GET", "/dashboard/webhooks", None, May(See)),
        ("POST", "/dashboard/webhooks", None, May(Administer)),
        ("GET", "/dashboard/webhooks/{id}", None, May(See)),
        ("POST", "/dashboard/webhooks/{id}/{action}", None, May(Administer)),
        ("GET", "/dashboard/deliveries/{id}", None, May(See)),
        ("POST", "/dashboard/deliveries/{id}/replay", None, May(Administer)),
        // Subscriptions.
        ("GET", "/dashboard/subscriptions", None, May(See)),
        ("GET", "/dashboard/subscriptions/{id}", None, May(See)),
        ("POST", SUBSCRIPTION, Some("pause"), May(Serve)),
        ("POST", SUBSCRIPTION, Some("resume"), May(Serve)),
        ("POST", SUBSCRIPTION, Some("end"), May(Serve)),
        ("POST", SUBSCRIPTION, Some("cancel"), May(Serve)),
        ("POST", SUBSCRIPTION, Some("help"), May(Serve)),
        ("POST", SUBSCRIPTION, Some("link"), May(Serve)),
        ("POST", SUBSCRIPTION, None, May(MoveMoney)),
        ("GET", "/dashboard/plans", None, May(See)),
        ("POST", "/dashboard/plans", None, May(Administer)),
        ("POST", PLAN_ARCHIVE, None, May(Administer)),
        ("GET", "/dashboard/customers", None, May(See)),
        ("GET", "/dashboard/customers/{id}", None, May(See)),
        ("GET", "/dashboard/customer-tokens/{id}", None, May(See)),
        ("POST", TOKEN_ACTION, Some("ask"), May(Serve)),
        ("POST", TOKEN_ACTION, None, May(MoveMoney)),
        // What is known of people.
        ("GET", "/dashboard/personal-data", None, May(Administer)),
        ("POST", "/dashboard/personal-data/{action}", None, May(Administer)),
        // What is in doubt.
        ("GET", "/dashboard/attention", None, May(See)),
        ("POST", OPERATION, Some("look"), May(Serve)),
        ("POST", OPERATION, Some("resume"), May(Serve)),
        ("POST", OPERATION, None, May(MoveMoney)),
        // The counter.
        ("GET", "/dashboard/assets/counter.js", None, Nobody),
        ("GET", "/dashboard/counter", None, May(Serve)),
        ("POST", "/dashboard/counter", None, May(Serve)),
        ("GET", "/dashboard/counter/{id}", None, May(Serve)),
        ("GET", "/dashboard/counter/{id}/live", None, May(Serve)),
        ("POST", "/dashboard/counter/{id}/{action}", None, May(Serve)),
        // Stores and their Klarna accounts.
        ("GET", "/dashboard/stores", None, May(Administer)),
        ("POST", "/dashboard/stores", None, May(Administer)),
        ("POST", "/dashboard/stores/{id}", None, May(Administer)),
        ("POST", "/dashboard/stores/{id}/enter", None, May(Administer)),
        ("POST", "/dashboard/stores/{id}/accounts", None, May(Administer)),
        ("POST", "/dashboard/stores/{id}/accounts/{account_id}/{action}", None, May(Administer)),
        // One's own account.
        ("GET", "/dashboard/account", None, May(Own)),
        ("POST", "/dashboard/account/password", None, May(Own)),
        ("POST", "/dashboard/account/second-factor", None, May(Own)),
        ("POST", "/dashboard/account/second-factor/confirm", None, May(Own)),
        ("POST", "/dashboard/account/second-factor/remove", None, May(Own)),
        ("POST", "/dashboard/account/recovery-codes", None, May(Own)),
        ("POST", "/dashboard/account/sessions/{id}/end", None, May(Own)),
        ("POST", "/dashboard/account/sessions/end-others", None, May(Own)),
        // Users and keys.
        ("GET", "/dashboard/access", None, May(Administer)),
        ("POST", "/dashboard/access/keys", None, May(Administer)),
        ("POST", "/dashboard/access/keys/{id}/{action}", None, May(Administer)),
        ("POST", "/dashboard/access/invitations", None, May(Administer)),
        ("POST", "/dashboard/access/invitations/{id}/revoke", None, May(Administer)),
        ("POST", "/dashboard/access/users/{id}/{action}", None, May(Administer)),
        ("GET", "/dashboard/audit", None, May(Administer)),
    ]
};

/// What a page or form needs. What is not known needs an admin.
pub fn needs(method: &str, route: &str, action: Option<&str>) -> Needs {
    // A page that answers GET answers HEAD as well.
    let method = if method == "HEAD" { "GET" } else { method };
    PAGES
        .iter()
        .find(|(m, r, a, _)| *m == method && *r == route && (a.is_none() || *a == action))
        .map_or(Needs::May(Permission::Administer), |(_, _, _, needs)| *needs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn roles_are_a_ladder() {
        for pair in Role::ALL.windows(2) {
            for permission in Permission::ALL {
                assert!(!pair[0].may(permission) || pair[1].may(permission), "{pair:?}");
            }
            assert!(Permission::ALL.iter().any(|each| pair[1].may(*each) != pair[0].may(*each)));
            assert!(!pair[0].says().is_empty());
        }
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
    }

    #[test]
    fn nobody_below_finance_moves_money_out() {
        let refund = needs("POST", "/dashboard/payments/{id}/{action}", Some("refund"));
        let made_up = needs("POST", "/dashboard/payments/{id}/{action}", Some("made-up"));
        for needs in [refund, made_up] {
            assert_eq!(needs, Needs::May(Permission::MoveMoney));
        }
        assert!(!Role::Support.may(Permission::MoveMoney));
    }

    #[test]
    fn only_reading_is_open_to_viewers() {
        for (method, route, action, needs) in PAGES {
            let own = route.starts_with("/dashboard/account") || route.ends_with("/sign-out");
            if let (Needs::May(permission), "POST", false) = (needs, *method, own) {
                assert!(!Role::Viewer.may(*permission), "{method} {route} {action:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_not_known_needs_an_admin(route in "/dashboard/[a-z]{1,12}/[a-z]{1,12}", post: bool) {
            prop_assume!(PAGES.iter().all(|(_, known, _, _)| *known != route));
            let method = if post { "POST" } else { "GET" };
            prop_assert_eq!(needs(method, &route, None), Needs::May(Permission::Administer));
        }
    }
}
