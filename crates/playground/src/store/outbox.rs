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
          CREATE INDEX outbox_messages_by_time ON outbox_messages (sent_at_ms);
          CREATE INDEX outbox_messages_by_recipient ON outbox_messages (recipient, sent_at_ms)",
};

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
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
    tx.execute(
        "INSERT INTO outbox_messages
           (message_id, merchant_id, channel, recipient, locale, subject, body, link, subject_id,
            sent_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &message_id,
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
) -> Result<Vec<Sent>, storage::Error> {
    // An empty text stands for "any": neither an address nor an id is empty.
    let rows = tx.query(
        "SELECT message_id, merchant_id, channel, recipient, locale, subject, body, link,
                subject_id, sent_at_ms
         FROM outbox_messages
         WHERE ($1 = '' OR recipient = $1) AND ($2 = '' OR merchant_id = $2)
           AND ($3 = '' OR subject_id = $3)
         ORDER BY sent_at_ms DESC, message_id LIMIT $4",
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

/// One message.
pub(crate) fn find(tx: &mut Tx<'_>, message_id: &str) -> Result<Option<Sent>, storage::Error> {
    let row = tx.query_opt(
        "SELECT message_id, merchant_id, channel, recipient, locale, subject, body, link,
                subject_id, sent_at_ms
         FROM outbox_messages WHERE message_id = $1",
        &[&message_id],
    )?;
    row.as_ref().map_or(Ok(None), sent)
}

/// `None` for a channel that a later version of this program added.
fn sent(row: &Row) -> Result<Option<Sent>, storage::Error> {
    let merchant_id: String = row.get(1)?;
    let channel: &str = row.get(2)?;
    let Some(channel) = Channel::parse(channel) else { return Ok(None) };
    let locale: String = row.get(4)?;
    Ok(Some(Sent {
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
