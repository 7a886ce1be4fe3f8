//! Values as both engines know them: a null, a 64-bit integer, text, bytes.
//!
//! Booleans are kept as 0 and 1 in BIGINT columns, timestamps as unix milliseconds in BIGINT columns, documents as
//! TEXT. There is no floating-point value: no amount ever was one.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};

/// A stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
        }
    }
}

/// A parameter, borrowed for the length of one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// SQL NULL.
    Null,
    /// BIGINT.
    Integer(i64),
    /// TEXT.
    Text(&'a str),
    /// BYTEA.
    Blob(&'a [u8]),
}

/// What can be a parameter of a statement.
pub trait ToValue {
    /// The value that is sent to the engine.
    fn to_value(&self) -> ValueRef<'_>;
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl ToValue for $integer {
            fn to_value(&self) -> ValueRef<'_> {
                ValueRef::Integer(i64::from(*self))
            }
        }
    )*};
}
integers!(i64, i32, i16, u32, u16, u8, bool);

impl ToValue for str {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Text(self)
    }
}

impl ToValue for Box<str> {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Text(self)
    }
}

impl ToValue for Arc<str> {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Text(self)
    }
}

impl ToValue for Cow<'_, str> {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Text(self)
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Blob(self)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Blob(self)
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Blob(self)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> ValueRef<'_> {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> ValueRef<'_> {
        self.as_ref().map_or(ValueRef::Null, ToValue::to_value)
    }
}

/// What a column can be read as.
pub trait FromValue<'r>: Sized {
    /// Reads the value, or says which type was expected.
    #[doc(hidden)]
    fn from_value(value: Stored<'r>) -> Result<Self, &'static str>;
}

/// A stored value as [`FromValue`] sees it. Opaque on purpose: the set of column types is closed.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'r>(pub(crate) &'r Value);

macro_rules! from_integers {
    ($($integer:ty => $wanted:literal),*) => {$(
        impl FromValue<'_> for $integer {
            fn from_value(value: Stored<'_>) -> Result<Self, &'static str> {
                match value.0 {
                    Value::Integer(integer) => (*integer).try_into().map_err(|_| $wanted),
                    _ => Err($wanted),
                }
            }
        }
    )*};
}
from_integers!(
    i64 => "a 64-bit integer",
    i32 => "a 32-bit integer",
    u64 => "an integer that is not negative",
    u32 => "an unsigned 32-bit integer",
    u16 => "an unsigned 16-bit integer",
    u8 => "an unsigned 8-bit integer"
);

impl FromValue<'_> for bool {
    fn from_value(value: Stored<'_>) -> Result<Self, &'static str> {
        match value.0 {
            Value::Integer(0) => Ok(false),
            Value::Integer(1) => Ok(true),
            _ => Err("0 or 1"),
        }
    }
}

impl FromValue<'_> for String {
    fn from_value(value: Stored<'_>) -> Result<Self, &'static str> {
        match value.0 {
            Value::Text(text) => Ok(text.clone()),
            _ => Err("text"),
        }
    }
}

impl<'r> FromValue<'r> for &'r str {
    fn from_value(value: Stored<'r>) -> Result<Self, &'static str> {
        match value.0 {
            Value::Text(text) => Ok(text),
            _ => Err("text"),
        }
    }
}

impl FromValue<'_> for Vec<u8> {
    fn from_value(value: Stored<'_>) -> Result<Self, &'static str> {
        match value.0 {
            Value::Blob(bytes) => Ok(bytes.clone()),
            _ => Err("bytes"),
        }
    }
}

impl<'r> FromValue<'r> for &'r [u8] {
    fn from_value(value: Stored<'r>) -> Result<Self, &'static str> {
        match value.0 {
            Value::Blob(bytes) => Ok(bytes),
            _ => Err("bytes"),
        }
    }
}

impl<'r, T: FromValue<'r>> FromValue<'r> for Option<T> {
    fn from_value(value: Stored<'r>) -> Result<Self, &'static str> {
        match value.0 {
            Value::Null => Ok(None),
            _ => T::from_value(value).map(Some),
        }
    }
}

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    /// Reads the column at `index`, counted from 0.
    pub fn get<'r, T: FromValue<'r>>(&'r self, index: usize) -> Result<T, Error> {
        let value = self.0.get(index).ok_or_else(|| {
            Error::new(
                ErrorKind::Value,
                format!("column {index} was asked for, the row has {}", self.0.len()),
            )
        })?;
        T::from_value(Stored(value)).map_err(|wanted| {
            Error::new(
                ErrorKind::Value,
                format!("column {index} holds {}, expected {wanted}", value.type_name()),
            )
        })
    }

    /// How many columns the row has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the row has no column.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
