//! Messages to shoppers, kept instead of sent.

use klarna_types::{Locale, MerchantId};
use storage::{Migration, Row, Tx};

use crate::domain::outbox::{Channel, Message};

/// Their table.
pub(crate) const MIGRATION: Migration = Migration {
    version: 81,
    name: "outbox",
    sql: "CREATE TABLE outbox_messages (
            message_id TEXT PRIMARY KEY,
            sequence BIGINT NOT NULL,
            merchant_id TEXT NOT NULL,
            channel TEXT NOT NULL,
            recipient TEXT NOT NULL,
            locale TEXT NOT NULL,
            subject TEXT NOT NULL,
            body TEXT NOT NULL,
            link TEXT NOT NULL,
            subject_id TEXT NOT NULL,
            sent_at_ms BIGINT NOT NULL
          );
          CREATE INDEX outbox_messages_in_order ON outbox_messages (sequence);
          CREATE INDEX outbox_messages_by_recipient ON outbox_messages (recipient, sequence)",
};

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its id.
    pub(crate) message_id: String,
    /// When, on the playground's clock.
    pub(crate) sent_at_ms: i64,
    /// What.
    pub(crate) message: Message,
}

/// Which messages are wanted. Nothing asked for means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// To this address or number.
    pub(crate) to: Option<String>,
    /// For this merchant.
    pub(crate) merchant_id: Option<MerchantId>,
    /// About this session.
    pub(crate) subject_id: Option<String>,
}

/// Puts a message into the outbox, in the unit of work that causes it.
pub(crate) fn deliver(
    tx: &mut Tx<'_>,
    message: &Message,
    now_ms: i64,
) -> Result<(), storage::Error> {
    // A unit of work that is run again makes another id; nothing else holds it.
    let message_id = service::random::uuid().to_string();
    // Several may be sent at one instant of a clock that stands still.
    let newest: i64 =
        tx.query_one("SELECT COALESCE(MAX(sequence), 0) FROM outbox_messages", &[])?.get(0)?;
    tx.execute(
        "INSERT INTO outbox_messages
           (message_id, sequence, merchant_id, channel, recipient, locale, subject, body, link,
            subject_id, sent_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            &message_id,
            &newest.saturating_add(1),
            &message.merchant_id.as_str(),
            &message.channel.as_str(),
            &message.to,
            &message.locale.as_str(),
            &message.subject,
            &message.text,
            &message.link,
            &message.subject_id,
            &now_ms,
        ],
    )?;
    Ok(())
}

/// Messages, newest first.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<Kept>, storage::Error> {
    // An empty text stands for "any": neither an address nor an id is empty.
    let rows = tx.query(
        "SELECT message_id, merchant_id, channel, recipient, locale, subject, body, link,
                subject_id, sent_at_ms
         FROM outbox_messages
         WHERE ($1 = '' OR recipient = $1) AND ($2 = '' OR merchant_id = $2)
           AND ($3 = '' OR subject_id = $3)
         ORDER BY sequence DESC LIMIT $4",
        &[
            &wanted.to.as_deref().unwrap_or_default(),
            &wanted.merchant_id.as_ref().map(MerchantId::as_str).unwrap_or_default(),
            &wanted.subject_id.as_deref().unwrap_or_default(),
            &limit,
        ],
    )?;
    let mut messages = Vec::with_capacity(rows.len());
    for row in &rows {
        messages.extend(sent(row)?);
    }
    Ok(messages)
}

/// `None` for a channel that a later version of this program added.
fn sent(row: &Row) -> Result<Option<Kept>, storage::Error> {
    let merchant_id: String = row.get(1)?;
    let channel: &str = row.get(2)?;
    let Some(channel) = Channel::parse(channel) else { return Ok(None) };
    let locale: String = row.get(4)?;
    Ok(Some(Kept {
        message_id: row.get(0)?,
        sent_at_ms: row.get(9)?,
        message: Message {
            merchant_id: MerchantId::new(merchant_id),
            channel,
            to: row.get(3)?,
            locale: Locale::new(locale),
            subject: row.get(5)?,
            text: row.get(6)?,
            link: row.get(7)?,
            subject_id: row.get(8)?,
        },
    }))
}

#[cfg(test)]
mod tests {
    use storage::{Database, Location};

    use super::*;
    use crate::store::migrations::MIGRATIONS;

    fn message(merchant_id: &str, to: &str, subject_id: &str) -> Message {
        Message {
            merchant_id: merchant_id.into(),
            channel: Channel::Sms,
            to: to.to_owned(),
            locale: Locale::new("sv-SE"),
            subject: "Betala".to_owned(),
            text: "Öppna länken".to_owned(),
            link: "http://localhost/hpp-page/aB3".to_owned(),
            subject_id: subject_id.to_owned(),
        }
    }

    #[tokio::test]
    async fn messages_are_found_newest_first_and_by_what_they_are() {
        let db = Database::open(&Location::Memory, MIGRATIONS).await.unwrap();
        db.write(|tx| {
            for (merchant_id, to, subject_id) in
                [("K1", "a", "s1"), ("K2", "a", "s2"), ("K1", "b", "s3"), ("K1", "a", "s4")]
            {
                // All at one instant.
                deliver(tx, &message(merchant_id, to, subject_id), 7)?;
            }
            let mut about = |wanted: Wanted, limit: i64| {
                let found = list(tx, &wanted, limit)?;
                Ok::<_, storage::Error>(
                    found.into_iter().map(|sent| sent.message.subject_id).collect::<Vec<_>>(),
                )
            };
            let to = |to: &str| Wanted { to: Some(to.to_owned()), ..Wanted::default() };
            let merchant = Wanted { merchant_id: Some("K2".into()), ..Wanted::default() };
            let subject = Wanted { subject_id: Some("s3".to_owned()), ..Wanted::default() };
            assert_eq!(about(Wanted::default(), 10)?, ["s4", "s3", "s2", "s1"]);
            assert_eq!(about(Wanted::default(), 2)?, ["s4", "s3"]);
            assert_eq!(about(to("a"), 10)?, ["s4", "s2", "s1"]);
            assert_eq!(about(to("nobody"), 10)?, [""; 0]);
            assert_eq!(about(merchant, 10)?, ["s2"]);
            assert_eq!(about(subject, 10)?, ["s3"]);
            let newest = list(tx, &Wanted::default(), 1)?.pop().unwrap();
            assert_eq!((newest.sent_at_ms, newest.message), (7, message("K1", "a", "s4")));
            Ok::<_, storage::Error>(())
        })
        .await
        .unwrap();
    }
}
