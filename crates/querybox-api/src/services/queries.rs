//! Running scripts.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _};
use querybox_contracts::{core::v1 as pb, plugin::v1 as plugin};
use querybox_core::{Answers, Core, Event, ExecuteRequest, Part, SessionError, Target};
use tonic::{Request, Response, Status};

use crate::{
    convert::{
        ended_message, execute_options, key, opened_message, rejection_message, secrets, session_id,
        unsaved_plugin,
    },
    status::Refused,
};

pub(crate) struct Queries {
    core: Arc<Core>,
}

impl Queries {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl pb::query_service_server::QueryService for Queries {
    type ExecuteStream = Messages<pb::ExecuteResponse>;

    async fn execute(
        &self,
        request: Request<pb::ExecuteRequest>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        let pb::ExecuteRequest { session_id: id, connection, sql, options, credential } =
            request.into_inner();
        let request = ExecuteRequest {
            secrets: secrets(credential),
            session_id: session_id(&id)?,
            target: Target::Saved(key(connection)?),
            sql,
            options: execute_options(options)?,
        };
        let answers = self.core.execute(request).await.map_err(Refused::from)?;
        Ok(Response::new(messages(answers, |part| pb::ExecuteResponse { part: Some(part) })))
    }

    type ExecutePluginStream = Messages<pb::ExecutePluginResponse>;

    async fn execute_plugin(
        &self,
        request: Request<pb::ExecutePluginRequest>,
    ) -> Result<Response<Self::ExecutePluginStream>, Status> {
        use pb::{execute_plugin_response::Part as PluginPart, execute_response::Part};

        let request = request.into_inner();
        let pb::ExecutePluginRequest {
            session_id: id,
            driver_type,
            parameters,
            credential,
            sql,
            options,
            read_only,
        } = request;
        let request = ExecuteRequest {
            secrets: secrets(credential),
            session_id: session_id(&id)?,
            target: Target::Unsaved(Box::new(unsaved_plugin(&driver_type, parameters, read_only)?)),
            sql,
            options: execute_options(options)?,
        };
        let answers = self.core.execute(request).await.map_err(Refused::from)?;
        Ok(Response::new(messages(answers, |part| {
            let part = match part {
                Part::Session(opened) => PluginPart::Session(opened),
                Part::Result(result) => PluginPart::Result(result),
                Part::Ended(ended) => PluginPart::Ended(ended),
            };
            pb::ExecutePluginResponse { part: Some(part) }
        })))
    }
}

fn messages<T: Send + 'static>(
    answers: Answers<Part>,
    message: impl Fn(pb::execute_response::Part) -> T + Send + 'static,
) -> Messages<T> {
    Box::pin(answers.map(move |event| match event {
        Ok(event) => Ok(message(part(event))),
        Err(error) => Err(refused(error)),
    }))
}

fn part(event: Event<Part>) -> pb::execute_response::Part {
    use pb::execute_response::Part as Message;
    match event {
        Event::Opened(opened) => Message::Session(opened_message(opened)),
        // As the driver sent it: nothing of a batch is looked at or copied.
        Event::Part(part) => Message::Result(part.wire),
        Event::Refused(rejection) => Message::Result(plugin::ExecuteResponse {
            part: Some(plugin::execute_response::Part::Rejection(rejection_message(*rejection))),
        }),
        Event::Ended(ended) => Message::Ended(ended_message(ended)),
    }
}

fn refused(error: SessionError) -> Status {
    Refused::from(error).into()
}
