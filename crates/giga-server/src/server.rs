//! Starting and stopping a server: the store is opened, the state built again, threads and port follow.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration as Wait;

use giga_control::Control;
use giga_engine::Engine;
use giga_formats::access::{self, Access, AccessError};
use giga_formats::api::Role;
use giga_formats::description::{self, Description};
use giga_model::{Federation, SiteId};
use giga_store::{Beginning, Key, Opened, Standing, Store, StoreError, Url};
use giga_units::Instant;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::carry::Carrier;
use crate::data::{Data, WORKERS};
use crate::http::{self, App, Desk, Keys};
use crate::listen;
use crate::live::command::{Command, Effect};
use crate::live::core::{Core, clock};
use crate::live::effect::orders;
use crate::live::resume::resume;
use crate::live::writer;
use crate::signs::{Signs, StoreFault};
use giga_control::energy::Plant;

/// A folder that is opened for a federation. Nothing runs yet.
pub struct Home {
    folder: PathBuf,
    store: Store,
    federation: Arc<Federation>,
    /// By site, what cools it.
    plants: Vec<Option<Plant>>,
    start: Instant,
}

impl Home {
    /// Opens a folder for a description, and begins a federation there where there is none. The store is in the folder, or in
    /// the database that `elsewhere` names.
    ///
    /// # Errors
    /// Says why folder or database can not be used, or that they belong to another description.
    pub fn open(
        folder: PathBuf,
        elsewhere: Option<&Url>,
        file: &str,
        text: &str,
        read: Description,
    ) -> Result<Self, ServerError> {
        // Before anything is begun that the next try would have to live with.
        if let Some(site) = read.federation.sites.iter().find(|site| site.engine.is_none()) {
            return Err(ServerError::NoEngine { site: site.name.clone() });
        }
        let expanded = description::expand(&read);
        let beginning = Beginning { file: file.to_owned(), text: text.to_owned(), expanded, start: clock() };
        let (store, opened) = match elsewhere {
            None => Store::open(&folder, &beginning)?,
            Some(url) => Store::connect(url, &folder, &beginning)?,
        };
        let (read, start) = match opened {
            Opened::New => (read, beginning.start),
            Opened::Found(found) if found.text != text => {
                return Err(ServerError::OtherDescription { folder, file: found.file });
            }
            Opened::Found(found) if found.expanded == beginning.expanded => (read, found.start),
            Opened::Found(found) => (kept(&found)?, found.start),
        };
        let plants = read.works.into_iter().map(|works| works.plant).collect();
        Ok(Self { folder, store, federation: Arc::new(read.federation), plants, start })
    }

    /// The federation that lives here, with the defaults it began with.
    #[must_use]
    pub fn federation(&self) -> &Arc<Federation> {
        &self.federation
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn kept(found: &Beginning) -> Result<Description, ServerError> {
    description::read("the description as it was kept", &found.expanded).map_err(ServerError::Kept)
}

/// Whether a server may listen there: only where nobody can listen in.
///
/// # Errors
/// Refuses every address that other machines can reach.
pub fn may_listen(listen: SocketAddr) -> Result<(), ServerError> {
    if listen.ip().is_loopback() { Ok(()) } else { Err(ServerError::NotLoopback { listen }) }
}

/// What a server is started with.
pub struct Call {
    /// Where everything is kept, and of which federation.
    pub home: Home,
    /// Where it listens; only on this machine, since nothing is encrypted.
    pub listen: SocketAddr,
    /// How many connections may be open at once; at least one.
    pub connections: usize,
    /// What carries decisions out, for every site.
    pub engines: BTreeMap<SiteId, Arc<dyn Engine>>,
    /// The folder of each site whose files this machine sees: its data lies in there.
    pub areas: BTreeMap<SiteId, PathBuf>,
    /// The version of this program: snapshots belong to it.
    pub version: &'static str,
}

/// Why a server can not start. What stands in a message is not its source as well, so that a chain tells it once.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The store can not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store belongs to another description.
    #[error(
        "`{}` was begun with another description (`{file}` then); a federation that lives can not change its \
         description yet: give that one again, or begin anew in another folder with `--data`",
        folder.display()
    )]
    OtherDescription {
        /// The folder.
        folder: PathBuf,
        /// The file it was begun with.
        file: String,
    },
    /// This version can not read the description that the folder was begun with.
    #[error("{0}\nthis version can not read what an earlier one kept; use that one again")]
    Kept(description::Faults),
    /// A site has nothing that carries decisions out.
    #[error("site `{site}` has no engine; write `engine = \"local\"` for it, or leave it out")]
    NoEngine {
        /// Which site.
        site: String,
    },
    /// It would listen where others could listen in.
    #[error(
        "`{listen}` can be reached from other machines, and nothing is encrypted yet; listen on 127.0.0.1 and let a \
         proxy with TLS forward to it"
    )]
    NotLoopback {
        /// The address.
        listen: SocketAddr,
    },
    /// The port can not be had.
    #[error("`{listen}` can not be listened on: {cause}; give another with `--listen`")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why not.
        cause: std::io::Error,
    },
    /// The access file can not be written.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The system has no chance to give.
    #[error("no token can be made: {0}")]
    Chance(getrandom::Error),
    /// A thread can not be had.
    #[error("the system gives no thread: {0}")]
    Thread(std::io::Error),
}

impl ServerError {
    /// Whether it may go away by itself, so that another try makes sense.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Store(error) => error.passes(),
            Self::Access(error) => error.passes(),
            Self::Listen { .. } => true,
            _ => false,
        }
    }
}

/// How a server ended.
#[derive(Debug)]
pub enum Stopped {
    /// It was told to.
    Told,
    /// The journal could not be written any more. Nothing that was answered is lost.
    Journal(StoreError),
    /// An invariant of the core broke; what it was is on the error output. Nothing that was answered is lost.
    Broken,
}

/// What was found of an earlier life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Records in the journal.
    pub records: u64,
    /// Jobs that run as far as it says.
    pub running: u64,
    /// Jobs that wait.
    pub waiting: u64,
}

/// A running server.
pub struct Server {
    door: Door,
    found: Option<Found>,
    app: Arc<App>,
    core: SyncSender<Command>,
    live: JoinHandle<()>,
    writer: JoinHandle<Result<(), StoreError>>,
    over: watch::Receiver<Over>,
}

/// Where clients come in.
struct Door {
    listener: TcpListener,
    url: String,
    connections: usize,
}

/// Why nothing more can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// It can.
    No,
    /// The writer has ended.
    Written,
    /// Another server has taken over.
    Fenced,
    /// What carries decisions out broke.
    Broken,
}

/// Tells where a thread that must not end by itself breaks.
struct Alarm(watch::Sender<Over>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.send_replace(Over::Broken);
        }
    }
}

/// The key that a server makes for the one who started it, in the place of the one before. Nobody can give another key this
/// name, which has a sign in it that names given by hand have not.
const FIRST_KEY: &str = "giga-up:operator";
/// Commands that may wait for the core.
const LINE: usize = 16_384;
/// Decided batches that may wait for the disk.
const UNWRITTEN: usize = 64;
/// How often the log of the database is folded into its file.
const FOLD: Wait = Wait::from_secs(2);
/// How often it is asked whether the store is still this server's.
const LOOK: Wait = Wait::from_millis(200);

impl Server {
    /// Opens the store, builds the state again, adopts what runs, and listens.
    ///
    /// # Errors
    /// Says why it can not, and what would help.
    pub async fn start(call: Call) -> Result<Self, ServerError> {
        let Call { home, listen, connections, engines, areas, version } = call;
        may_listen(listen)?;
        let fault = |cause| ServerError::Listen { listen, cause };
        let listener = TcpListener::bind(listen).await.map_err(fault)?;
        let url = format!("http://{}", listener.local_addr().map_err(fault)?);
        leave_access(&home.store, &home.folder, &url)?;
        Self::run(home, (engines, areas), version, Door { listener, url, connections })
    }

    fn run(
        home: Home,
        (engines, areas): (BTreeMap<SiteId, Arc<dyn Engine>>, BTreeMap<SiteId, PathBuf>),
        version: &'static str,
        door: Door,
    ) -> Result<Self, ServerError> {
        let (store, federation) = (Arc::new(home.store), home.federation);
        let signs = Arc::new(Signs::new(clock(), engines.keys().copied(), door.connections));
        let (control, seq) = resume(&store, &federation, home.start, version)?;
        let found = found(&control, seq);
        let (core, commands) = mpsc::sync_channel(LINE);
        let (out, decided) = mpsc::sync_channel(UNWRITTEN);
        let (durable, durable_seen) = watch::channel(seq);
        let (ended, over) = watch::channel(Over::No);
        let data = Arc::new(Data::open(Arc::clone(&federation), Arc::clone(&store), areas)?);
        for number in 0..WORKERS {
            let data = Arc::clone(&data);
            spawn(&format!("data {number}"), move || data.work())?;
        }

        let kept = (Arc::clone(&store), Arc::clone(&data));
        let told = (core.clone(), Arc::clone(&signs));
        let carriers = carriers(&control, &engines, &kept, &told, &ended)?;
        let tell = move |site: SiteId, effect: Effect| {
            // A carrier that is gone has raised the alarm, and the server stops.
            if let Some(carrier) = carriers.get(&site) {
                drop(carrier.send(effect));
            }
        };
        let live = Core::new(control, home.plants, seq, out);
        let noted = Arc::clone(&signs);
        let live = spawn("core", move || live.run(&commands, &noted))?;
        let written = Arc::clone(&store);
        let lost = ended.clone();
        let noted = Arc::clone(&signs);
        let writer = spawn("writer", move || {
            let tell = Box::new(tell) as writer::Carriers;
            let result = writer::write(&written, &decided, &durable, &tell, &noted, version);
            // Dropping what was not written closes every waiting answer.
            drop(decided);
            ended.send_replace(Over::Written);
            result
        })?;
        fold(&store, Arc::clone(&signs))?;
        watch_over(&store, lost)?;
        let (forecasts, desk) = Desk::open();
        let app = Arc::new(App {
            federation,
            store,
            keys: Keys::default(),
            core: core.clone(),
            durable: durable_seen,
            engines,
            data,
            forecasts,
            signs,
            readiness: Default::default(),
            folder: home.folder,
            version,
        });
        tokio::spawn(desk.work(Arc::downgrade(&app)));
        Ok(Self { door, found, app, core, live, writer, over })
    }

    /// Where it listens, as `http://…`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.door.url
    }

    /// What it found of an earlier life in its folder, or `None` where it is new.
    #[must_use]
    pub fn found(&self) -> Option<Found> {
        self.found
    }

    /// Serves until `stop` is done, the journal fails or another server takes over, then keeps a snapshot and gives the store
    /// back. Work goes on running.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Stopped {
        let Self { door, app, core, live, writer, mut over, .. } = self;
        let store = Arc::clone(&app.store);
        let signs = Arc::clone(&app.signs);
        tokio::select! {
            () = listen::serve(door.listener, http::router(Arc::clone(&app)), door.connections, signs) => {}
            () = stop => {}
            _ = over.wait_for(|over| *over != Over::No) => {}
        }
        app.data.close();
        // The core may be waiting for a writer that is gone; then it has ended by itself.
        let broken = *over.borrow() == Over::Broken;
        let told = tokio::task::spawn_blocking(move || {
            drop(core.send(Command::Stop));
            let ends = (live.join(), writer.join(), store.standing());
            store.release();
            ends
        });
        match told.await {
            Ok((Ok(()), Ok(Ok(())), Standing::Over { token, holder })) if !broken => {
                Stopped::Journal(StoreError::Fenced { token, holder })
            }
            Ok((Ok(()), Ok(Ok(())), _)) if !broken => Stopped::Told,
            Ok((Ok(()), Ok(Err(error)), _)) => Stopped::Journal(error),
            _ => Stopped::Broken,
        }
    }
}

/// A thread for each site that carries decisions out there, and where to tell it effects.
fn carriers(
    control: &Control,
    engines: &BTreeMap<SiteId, Arc<dyn Engine>>,
    kept: &(Arc<Store>, Arc<Data>),
    told: &(SyncSender<Command>, Arc<Signs>),
    ended: &watch::Sender<Over>,
) -> Result<BTreeMap<SiteId, Sender<Effect>>, ServerError> {
    let mut wanted = orders(control);
    let mut carriers = BTreeMap::new();
    for (&site, engine) in engines {
        let name = control.federation().sites[site.index()].name.clone();
        let orders = wanted.extract_if(.., |(at, _)| *at == site).map(|(_, order)| order).collect();
        let place = (site, name.clone());
        let carrier = Carrier::new(place, Arc::clone(engine), kept.clone(), told.clone(), orders);
        let (effects, receiver) = mpsc::channel::<Effect>();
        let alarm = Alarm(ended.clone());
        spawn(&format!("site {name}"), move || {
            let _alarm = alarm;
            carrier.run(&receiver);
        })?;
        carriers.insert(site, effects);
    }
    Ok(carriers)
}

fn found(control: &Control, records: u64) -> Option<Found> {
    let sites = || (0..control.federation().sites.len()).map(SiteId::at);
    let running = sites().map(|site| u64::from(control.state().running(site))).sum();
    let waiting = sites().map(|site| u64::from(control.state().waiting(site))).sum();
    (records > 0).then_some(Found { records, running, waiting })
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, ServerError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(ServerError::Thread)
}

/// Folds the log of the database away from commits, as long as the store is in use.
fn fold(store: &Arc<Store>, signs: Arc<Signs>) -> Result<(), ServerError> {
    let store = Arc::downgrade(store);
    spawn("fold", move || {
        let mut said = String::new();
        loop {
            thread::sleep(FOLD);
            let Some(store) = store.upgrade() else { return };
            let text = store.fold().err().map_or_else(String::new, |error| error.to_string());
            if !text.is_empty() {
                signs.fault(StoreFault::Fold);
            }
            if text != said && !text.is_empty() {
                tracing::warn!(
                    cause = text,
                    "the disk of the data folder can not be written as it should; free it"
                );
            }
            said = text;
        }
    })
    .map(drop)
}

/// Ends the server where another one takes over, and says where that may be.
fn watch_over(store: &Arc<Store>, lost: watch::Sender<Over>) -> Result<(), ServerError> {
    let store = Arc::downgrade(store);
    spawn("lease", move || {
        let mut before = Standing::Held;
        loop {
            thread::sleep(LOOK);
            let Some(standing) = store.upgrade().map(|store| store.standing()) else { return };
            match &standing {
                _ if standing == before => {}
                Standing::Held => tracing::info!("the lease on the database is renewed again"),
                Standing::Unsure => tracing::warn!(
                    "the lease on the database can not be renewed; nothing is started or stopped until it can"
                ),
                Standing::Over { .. } => {
                    lost.send_replace(Over::Fenced);
                    return;
                }
            }
            before = standing;
        }
    })
    .map(drop)
}

/// Leaves a way in for the one who started the server: the key of the last time if it still opens, a new one otherwise.
fn leave_access(store: &Store, folder: &Path, url: &str) -> Result<(), ServerError> {
    let before = access::read(folder).ok();
    let opens = |token: &String| store.key(&http::digest(token)).is_ok_and(|key| key.is_some());
    let token = match before.filter(|before| opens(&before.token)) {
        // A full disk is no reason not to start.
        Some(before) if before.url == url => return Ok(()),
        Some(before) => before.token,
        None => {
            let token = http::token().map_err(ServerError::Chance)?;
            store.remove_key(FIRST_KEY)?;
            let (name, created) = (FIRST_KEY.to_owned(), clock());
            let key = Key { name, role: Role::Operator, projects: Vec::new(), created };
            store.add_key(&key, &http::digest(&token))?;
            token
        }
    };
    Ok(access::write(folder, &Access { url: url.to_owned(), token })?)
}
