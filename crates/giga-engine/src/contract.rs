//! The contract that every engine keeps, as functions that panic where it is broken. They come with the local engine.
