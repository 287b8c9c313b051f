//! The local engine: attempts as processes of this machine.
