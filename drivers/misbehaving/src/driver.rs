//! The driver on the SDK: it counts, or misbehaves.

use std::{process::exit, sync::Mutex};

use querybox_plugin::{
    CONTRACT_VERSION, Driver, Error, ExecuteError, Open, OpenError, Query, Results, SchemaError,
    SchemaObjects, Session, Stages, pb,
};
use tokio::sync::Notify;

use crate::{
    counting::{self, refusal},
    crash, escape, flood, grab,
    hang::{self, Hang, forever},
    wish::Wish,
};

/// The driver, with what the name of its file asks for.
pub(crate) struct Misbehaving {
    pub(crate) wish: Option<Wish>,
}

/// A session, with what it was asked for last.
pub(crate) struct Counting {
    wish: Option<Wish>,
    running: Mutex<Option<Wish>>,
    cancelled: Notify,
}

impl Misbehaving {
    fn wish_in(&self, open: &Open) -> Option<Wish> {
        open.parameters.text("wish").and_then(Wish::parse).or(self.wish)
    }
}

impl Driver for Misbehaving {
    type Session = Counting;

    fn info(&self) -> pb::PluginInfo {
        let options = Wish::of_the_sdk().map(|wish| pb::FormOption {
            value: wish.name().to_owned(),
            label: wish.name().replace('-', " "),
        });
        pb::PluginInfo {
            name: "Misbehaving".to_owned(),
            driver_type: "misbehaving".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            contract_version: CONTRACT_VERSION,
            description: "For tests: counts, and misbehaves on request.".to_owned(),
            license: env!("CARGO_PKG_LICENSE").to_owned(),
            capabilities: vec![pb::Capability::Cancel.into(), pb::Capability::Schema.into()],
            connection_form: vec![pb::FormField {
                name: "wish".to_owned(),
                label: "Wish".to_owned(),
                kind: pb::FormFieldKind::Select.into(),
                role: pb::FormFieldRole::Option.into(),
                options: options.collect(),
                help: "What to do wrong. Empty: nothing.".to_owned(),
                ..pb::FormField::default()
            }],
            network_need: pb::NetworkNeed::None.into(),
            file_need: pb::FileNeed::None.into(),
            url_schemes: vec!["misbehaving".to_owned()],
            ..pb::PluginInfo::default()
        }
    }

    async fn open(&self, open: Open) -> Result<Counting, OpenError> {
        let wish = self.wish_in(&open);
        match wish {
            Some(Wish::Hang(Hang::InOpen)) => forever().await,
            Some(Wish::Crash(crash::Crash::PanicInOpen)) => panic!("asked to panic in Open"),
            Some(Wish::Crash(crash::Crash::ExitInOpen)) => exit(5),
            _ => Ok(Counting { wish, running: Mutex::default(), cancelled: Notify::new() }),
        }
    }

    async fn test(&self, open: Open, stages: &mut Stages) -> Result<pb::ServerFacts, OpenError> {
        stages.begin(pb::TestStage::Dial);
        stages.passed("").await;
        match self.wish_in(&open) {
            Some(Wish::Hang(Hang::InTest)) => forever().await,
            Some(Wish::Crash(crash::Crash::ExitInTest)) => exit(5),
            _ => Ok(server()),
        }
    }
}

impl Session for Counting {
    fn server(&self) -> pb::ServerFacts {
        server()
    }

    async fn execute(&self, query: Query, mut results: Results) -> Result<(), ExecuteError> {
        let asked = query.sql.trim().strip_prefix("misbehave ").map(str::trim);
        let wish = match asked {
            Some(name) => match Wish::of_the_sdk().find(|wish| wish.name() == name) {
                Some(wish) => Some(wish),
                None => {
                    let refusal = refusal("42704", format!("{name:?} is not asked for by a statement"));
                    return results.statement(0..query.sql.len()).rejected(refusal).await;
                }
            },
            None => self.wish,
        };
        *self.running.lock().expect("nothing panics under this lock") = wish;
        match wish {
            None => counting::run(&query, &self.cancelled, &mut results).await,
            Some(Wish::Hang(wish)) => hang::run(wish, &query, results).await,
            Some(Wish::Flood(wish)) => flood::run(wish, &query, results).await,
            Some(Wish::Crash(wish)) => crash::run(wish, &query, results).await,
            Some(Wish::Grab(wish)) => grab::run(wish, &query, results).await,
            Some(Wish::Escape(wish)) => escape::run(wish, &query, results).await,
            // These act in other ways, or were for another part of the driver's life.
            Some(Wish::Info(_) | Wish::Bytes(_) | Wish::Parts(_) | Wish::Calls(_)) => {
                counting::run(&query, &self.cancelled, &mut results).await
            }
        }
    }

    async fn schema(&self, _: pb::GetSchemaRequest, objects: SchemaObjects) -> Result<(), SchemaError> {
        if self.wish == Some(Wish::Hang(Hang::InSchema)) {
            forever::<()>().await;
        }
        // Held to here, so that the stream did not end before.
        drop(objects);
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        let running = *self.running.lock().expect("nothing panics under this lock");
        match running {
            Some(Wish::Hang(Hang::InCancel)) => forever().await,
            Some(Wish::Hang(Hang::FailInCancel)) => Err(Error::lost("nobody takes the cancel")),
            _ => {
                self.cancelled.notify_one();
                Ok(())
            }
        }
    }
}

fn server() -> pb::ServerFacts {
    pb::ServerFacts {
        product: "Misbehaving".to_owned(),
        version: "1".to_owned(),
        ..pb::ServerFacts::default()
    }
}
