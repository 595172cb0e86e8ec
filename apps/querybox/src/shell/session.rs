//! What the shell works with: the session and its settings, whatever its lines come from.

use std::sync::Arc;

use querybox_contracts::{
    core::v1 as core,
    plugin::v1::{self as plugin, SchemaObjectKind, TransactionState},
};
use querybox_launcher::read_dialect;
use querybox_sql::Dialect;
use uuid::Uuid;

use super::{
    command::Target,
    events::Told,
    feed::Entry,
    lease::{self, Lease, LeaseEnd, Opening, Wanted},
    names::Names,
};
use crate::{
    app::App,
    cli::{
        documents::{DocumentArg, FormatArg},
        query::OnErrorArg,
        shell::ShellArgs,
    },
    connections::named,
    exit::Exit,
    failure::Failure,
    output::Output,
    progress::{FIRST_ROW, Progress},
    query::{
        copy, drive,
        printer::Printer,
        script::Script,
        sheet::Sheet,
        tell::{self, Times},
    },
    reason::Reason,
    rejection::{self, Source},
    schema::{Reading, model::Catalog, tree},
    screen::Screen,
    secrets,
    signals::Interrupts,
    stdout,
    table::Arrangement,
};

/// A session on a connection, opened again when it was lost.
pub(crate) struct Session<'a> {
    pub app: &'a App,
    pub args: &'a ShellArgs,
    /// What the driver says of its SQL.
    pub facts: plugin::Dialect,
    pub dialect: Dialect,
    pub server: plugin::ServerFacts,
    /// This shell, to Core.
    pub front_end_id: String,
    pub times: Times,
    pub arrangement: Arrangement,
    has_schema: bool,
    /// `None`: it was lost.
    lease: Option<Lease>,
    /// A loss that nobody was told of yet.
    loss: Option<LeaseEnd>,
    /// Whether the statements that were executed last were sent to the session.
    pub was_sent: bool,
    /// Results that sessions before this one have shown.
    results_before: u64,
}

impl<'a> Session<'a> {
    pub(crate) async fn open(app: &'a App, args: &'a ShellArgs) -> Result<Session<'a>, Failure> {
        let mut session = Session {
            app,
            args,
            facts: plugin::Dialect::default(),
            dialect: read_dialect(&plugin::Dialect::default()),
            server: plugin::ServerFacts::default(),
            front_end_id: Uuid::now_v7().to_string(),
            times: if args.verbose { Times::Detailed } else { Times::Shown },
            arrangement: Arrangement::Fitting,
            has_schema: false,
            lease: None,
            loss: None,
            was_sent: false,
            results_before: 0,
        };
        let lease = session.lease().await?;
        session.lease = Some(lease);
        Ok(session)
    }

    /// The state of the transaction, as far as it was told.
    pub(crate) fn transaction(&self) -> TransactionState {
        self.lease.as_ref().map_or(TransactionState::Idle, |lease| lease.seen().transaction)
    }

    /// Runs statements and shows what comes back.
    pub(crate) async fn execute(&mut self, entry: Entry, file: Option<&str>) -> Result<Exit, Failure> {
        self.execute_with(entry, file, None).await
    }

    /// As [`execute`](Self::execute), with the data of a COPY.
    pub(crate) async fn execute_with(
        &mut self,
        entry: Entry,
        file: Option<&str>,
        source: Option<copy::Source>,
    ) -> Result<Exit, Failure> {
        self.was_sent = false;
        let lease = self.lease().await?;
        let app = self.app;
        let mut interrupts = listen()?;
        // The window may have another size by now.
        let screen = Screen::look();
        let format = self.args.format.unwrap_or(match screen.stdout_is_terminal {
            true => FormatArg::Table,
            false => FormatArg::Document(DocumentArg::Csv),
        });
        let look = crate::query::look(format, &screen, self.arrangement)?;
        let shows_progress = screen.stderr_is_terminal && !screen.stdout_is_terminal;
        let progress = Arc::new(if shows_progress { Progress::shown(FIRST_ROW) } else { Progress::hidden() });
        let keeps_going = self.args.on_error == OnErrorArg::Continue;
        // Between results that were typed for stands a prompt.
        let results_before = file.map_or(0, |_| self.results_before + lease.seen().results);
        let printer = Printer {
            sheet: Sheet::new(Output::stdout()?, look, results_before),
            messages: app.messages.above(progress.line()),
            progress,
            script: Arc::new(Script {
                sql: entry.text.clone(),
                file: file.map(str::to_owned),
                first_line: entry.line,
            }),
            keeps_going,
            single_transaction: false,
            verbose: self.args.verbose,
            times: self.times,
            told: app.told.clone(),
            exit: Exit::Done,
            has_done: false,
        };
        let options = core::ExecuteOptions {
            on_error: match self.args.on_error {
                OnErrorArg::Stop => plugin::OnError::Stop,
                OnErrorArg::Continue => plugin::OnError::Continue,
            }
            .into(),
            rows_max: self.args.max_rows,
            deadline: self.args.deadline.map(core::Deadline::from),
            gives_copy_data: source.is_some(),
            connections_max: 1,
            ..core::ExecuteOptions::default()
        };
        let supply = copy::Supply::new(app.channel.clone(), lease.id.clone(), source);
        let asking = lease.execute(entry.text, options);
        let asking = async { asking.await.map(|parts| copy::supplied(parts, supply)) };
        let done = drive::drive(asking, &lease.id, &app.channel, printer, &mut interrupts).await;
        self.keep(lease);
        // Core knew that the session is over, and has asked nothing of it.
        self.was_sent = !matches!(&done, Err(failure) if failure.reason == Some(Reason::SessionEnded));
        done
    }

    /// Reads the names for completion, when they have changed and nothing of the user's can suffer from it: a cancelled
    /// reading inside of a transaction would break the transaction.
    pub(crate) async fn names(&self) -> Option<Names> {
        const KINDS: [SchemaObjectKind; 3] =
            [SchemaObjectKind::Schema, SchemaObjectKind::Relation, SchemaObjectKind::Column];
        let lease = self.lease.as_ref().filter(|_| self.wants_names())?;
        let catalog = match lease.schema(Wanted { kinds: &KINDS, ..Wanted::default() }).await {
            Ok(Reading { catalog, rejection: None }) => catalog,
            // Without names there is less to complete. A statement that fails for the same cause will tell it.
            Ok(Reading { rejection: Some(rejection), .. }) => {
                tracing::debug!(sqlstate = rejection.sqlstate, "the database does not tell its names");
                return None;
            }
            Err(status) => {
                tracing::debug!(%status, "the names cannot be read");
                return None;
            }
        };
        lease.schema_is_read();
        Some(Names::of(catalog))
    }

    pub(crate) fn wants_names(&self) -> bool {
        let Some(seen) = self.lease.as_ref().map(Lease::seen) else { return false };
        let is_free = matches!(seen.transaction, TransactionState::Idle | TransactionState::Unspecified);
        self.has_schema && seen.changed_schema && is_free && seen.end.is_none()
    }

    /// The names for completion are wanted anew.
    pub(crate) fn forget_names(&self) {
        if let Some(lease) = &self.lease {
            lease.schema_is_stale();
        }
    }

    /// Lists what there is, of some kinds or all.
    pub(crate) async fn list(&mut self, only_tables: bool) -> Result<Exit, Failure> {
        const KINDS: [SchemaObjectKind; 2] = [SchemaObjectKind::Schema, SchemaObjectKind::Relation];
        let Some(catalog) = self.read(Wanted { kinds: &KINDS, ..Wanted::default() }).await? else {
            return Ok(Exit::Rejected);
        };
        let mut rows = Vec::new();
        for schema in &catalog.schemas {
            for relation in &schema.relations {
                if !only_tables || relation.kind.contains("table") {
                    let estimate = relation.row_estimate.map_or_else(String::new, crate::words::grouped);
                    rows.push([
                        schema.name.clone(),
                        relation.name.clone(),
                        relation.kind.to_owned(),
                        estimate,
                        relation.comment.clone(),
                    ]);
                }
            }
        }
        if rows.is_empty() {
            self.app.messages.note(if only_tables { "no tables" } else { "no tables and views" });
        } else {
            let head = ["SCHEMA", "NAME", "KIND", "ROWS (ABOUT)", "COMMENT"];
            stdout::print(&stdout::columns(head, &rows, Screen::look().stdout_paint))?;
        }
        Ok(Exit::Done)
    }

    /// Describes a table or view.
    pub(crate) async fn describe(&mut self, target: Target) -> Result<Exit, Failure> {
        let Target { schema, relation, is_quoted } = target;
        let lower = (schema.as_deref().map(str::to_lowercase), relation.to_lowercase());
        let as_written = (schema, relation.clone());
        // A database may fold names that stand without quotes.
        let tries_lower = !is_quoted && lower != as_written;
        for (schema, relation) in std::iter::once(as_written).chain(tries_lower.then_some(lower)) {
            let wanted = Wanted { schema, relation: Some(relation), kinds: &[] };
            let Some(catalog) = self.read(wanted).await? else { return Ok(Exit::Rejected) };
            if catalog.has_relations() {
                stdout::print(&tree::draw(&catalog, Screen::look().stdout_paint))?;
                return Ok(Exit::Done);
            }
        }
        Err(Failure::usage(format!("there is no table or view {relation}")))
    }

    /// Ends the session. Whether an open transaction went with it.
    pub(crate) async fn close(self) -> bool {
        match self.lease {
            Some(lease) => lease.close().await,
            None => false,
        }
    }

    /// Part of the catalog, read for the user. `None`: the database has refused, and that was told.
    async fn read(&mut self, wanted: Wanted) -> Result<Option<Catalog>, Failure> {
        let lease = self.lease().await?;
        let mut interrupts = listen()?;
        let read = tokio::select! {
            read = lease.schema(wanted) => read.map_err(Failure::from),
            () = interrupts.next() => Err(Failure::new(Exit::Cancelled, "cancelled")),
        };
        self.keep(lease);
        let reading = read?;
        if let Some(rejection) = &reading.rejection {
            self.refused(rejection);
            return Ok(None);
        }
        Ok(Some(reading.catalog))
    }

    /// The session to ask next; it goes back by [`Session::keep`]. A new one when the last is known to be lost.
    async fn lease(&mut self) -> Result<Lease, Failure> {
        if let Some(lease) = self.lease.take() {
            // It ended while nobody asked anything of it, so that nobody was told. What was typed for it may mean something
            // else in another session.
            let Some(end) = lease.seen().end else { return Ok(lease) };
            self.lose(&lease, end);
            let failure = Failure::machinery("nothing was sent: the session had ended before");
            return Err(Failure { reason: Some(Reason::SessionEnded), ..failure });
        }
        let app = self.app;
        let connection = named(&self.args.connection);
        let credential = secrets::of_connection(app, &connection, &self.args.secret).await?;
        let mut interrupts = listen()?;
        let opening = tokio::select! {
            opening = lease::open(&app.channel, self.front_end_id.clone(), connection, credential) => opening?,
            () = interrupts.next() => return Err(Failure::new(Exit::Cancelled, "cancelled")),
        };
        let (lease, leased) = match opening {
            Opening::Leased(lease, leased) => (lease, *leased),
            Opening::Refused(rejection) => {
                self.refused(&rejection);
                return Err(Failure::silent(Exit::Rejected));
            }
        };
        if self.args.verbose {
            app.messages.note(&format!("session {}", lease.id));
        }
        let opened = leased.session.unwrap_or_default();
        tell::opened(&app.messages, &opened, self.args.verbose, &app.told);
        let driver = leased.driver.unwrap_or_default();
        self.has_schema = driver.capabilities().any(|it| it == plugin::Capability::Schema);
        self.facts = driver.dialect.unwrap_or_default();
        self.dialect = read_dialect(&self.facts);
        self.server = opened.server.unwrap_or_default();
        lease.schema_is_stale();
        Ok(lease)
    }

    /// Keeps the session for the next request, unless the last one told of its end.
    fn keep(&mut self, lease: Lease) {
        match lease.seen().end {
            None => self.lease = Some(lease),
            Some(end) => self.lose(&lease, end),
        }
    }

    fn lose(&mut self, lease: &Lease, end: LeaseEnd) {
        self.results_before += lease.seen().results;
        self.loss = Some(end);
    }

    /// Whether it is about the session that is held now.
    pub(crate) fn concerns(&self, told: &Told) -> bool {
        let session = match told {
            Told::EndsSoon { session, .. } | Told::Ended { session, .. } | Told::Notified { session, .. } => {
                session
            }
            // Of which sessions they were nobody knows; a shell has one at a time.
            Told::Missed { .. } => return self.lease.is_some(),
        };
        self.lease.as_ref().is_some_and(|lease| lease.id == *session)
    }

    /// The session has ended, and the user was told.
    pub(crate) fn forget(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.results_before += lease.seen().results;
        }
    }

    /// How the session was lost, when that was not told yet.
    pub(crate) fn loss(&mut self) -> Option<LeaseEnd> {
        self.loss.take()
    }

    fn refused(&self, rejection: &plugin::Rejection) {
        let screen = self.app.messages.screen();
        let text = rejection::describe(rejection, &Source::NONE, screen.stderr_width, screen.stderr_paint);
        self.app.messages.say(&text);
    }
}

pub(crate) fn listen() -> Result<Interrupts, Failure> {
    Interrupts::listen().map_err(|error| Failure::machinery(format!("cannot listen for signals: {error}")))
}
