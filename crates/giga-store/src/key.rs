//! Who may come in. Only digests of tokens are kept: who reads the store learns no token.

use giga_formats::api::{ALL_PROJECTS, Role};
use giga_units::Instant;

use crate::error::{DatabaseError, StoreError};
use crate::statement::{Row, Statement};
use crate::store::Store;

/// A key, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What people call it.
    pub name: String,
    /// What it opens.
    pub role: Role,
    /// The projects it may charge; `*` stands for all of them, and an operator may charge all in any case.
    pub projects: Vec<String>,
    /// When it was made.
    pub created: Instant,
}

impl Store {
    /// Adds a key under the digest of its token; `false` where the name is taken.
    ///
    /// # Errors
    /// Fails where the store can not be written.
    pub fn add_key(&self, key: &Key, digest: &[u8]) -> Result<bool, StoreError> {
        let sql = "INSERT INTO access_key (name, digest, role, projects, created) VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (name) DO NOTHING";
        let created = key.created.as_unix_milliseconds();
        let projects = serde_json::to_string(&key.projects).expect("texts can be written");
        let values =
            [(&key.name).into(), digest.into(), key.role.word().into(), (&projects).into(), created.into()];
        Ok(self.backend.write(&[Statement::new(sql, values)], None)? == [1])
    }

    /// Removes a key; `false` where there is none of that name.
    ///
    /// # Errors
    /// Fails where the store can not be written.
    pub fn remove_key(&self, name: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM access_key WHERE name = $1";
        Ok(self.backend.write(&[Statement::new(sql, [name.into()])], None)? == [1])
    }

    /// All keys by name.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn keys(&self) -> Result<Vec<Key>, StoreError> {
        let mut keys = self.all("SELECT name, role, projects, created FROM access_key", [], key)?;
        // Here and not by the database, whose order of letters may be another.
        keys.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(keys)
    }

    /// The key of a token, by its digest.
    ///
    /// # Errors
    /// Fails where the store can not be read.
    pub fn key(&self, digest: &[u8]) -> Result<Option<Key>, StoreError> {
        self.one(
            "SELECT name, role, projects, created FROM access_key WHERE digest = $1",
            [digest.into()],
            key,
        )
    }
}

fn key(row: &mut Row) -> Result<Key, DatabaseError> {
    let name = row.take()?;
    let (role, projects, created): (String, String, i64) = (row.take()?, row.take()?, row.take()?);
    Ok(Key {
        name,
        // A role of a later version opens nothing more than a user's.
        role: Role::parse(&role).unwrap_or(Role::User),
        projects: serde_json::from_str(&projects).unwrap_or_else(|_| earlier(&projects)),
        created: Instant::unix_milliseconds(created),
    })
}

/// Projects as earlier versions kept them: one a line, and none for all of them.
fn earlier(projects: &str) -> Vec<String> {
    if projects.is_empty() {
        return vec![ALL_PROJECTS.to_owned()];
    }
    projects.lines().map(str::to_owned).collect()
}
