//! A demo storefront, written as a merchant would write it.
