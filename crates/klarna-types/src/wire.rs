//! Small serde helpers: how Klarna writes points in time, and lists that may be `null`.

use serde::{Deserialize, Deserializer};

/// A member where `null` means the same as an absent one.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Points in time as Klarna writes them: UTC, milliseconds, `Z`. Read with or without a fraction.
pub(crate) mod millis {
    /// For a member that may be absent.
    pub(crate) mod option {
        use jiff::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer};

        #[allow(clippy::ref_option, reason = "serde gives a reference to the whole member")]
        pub(crate) fn serialize<S: Serializer>(
            value: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(timestamp) => serializer.collect_str(&format_args!("{timestamp:.3}")),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            Option::<Timestamp>::deserialize(deserializer)
        }
    }
}
