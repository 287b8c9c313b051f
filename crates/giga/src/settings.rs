//! What is set outside of a call: variables of the environment.

/// What a variable holds, where it holds anything.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
