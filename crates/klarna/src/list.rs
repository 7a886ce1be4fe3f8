//! Lists that come in pages: one page as a call, all items as a stream.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::call;
use crate::engine::{Operation, Shared};
use crate::error::{Circumstances, Error, Outcome};
use crate::query::{self, Query};
use crate::response::Response;
use crate::retry::{Repeat, RetryPolicy};

/// One page of a list. Implemented by this crate's types only.
pub trait Page: DeserializeOwned + Send + Sealed + 'static {
    /// What is listed.
    type Item: Send + Unpin + 'static;

    #[doc(hidden)]
    fn following(&self, asked: &Asked) -> Following;

    #[doc(hidden)]
    fn into_items(self) -> Vec<Self::Item>;
}

/// Keeps others from implementing [`Page`].
pub trait Sealed {}

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked(pub(crate) Query);

/// Where a list goes on.
#[derive(Debug)]
pub struct Following(pub(crate) Next);

/// Where a list goes on.
#[derive(Debug)]
pub(crate) enum Next {
    /// It ends here.
    End,
    /// At this URL.
    Link(String),
    /// At the same path with another query.
    Ask(Query),
}

/// A list that is ready to be asked for: await it for one page, or take all of it as a stream.
///
/// ```
/// # async fn example(client: klarna::Client) -> Result<(), klarna::Error> {
/// use klarna::PayoutFilter;
/// let payouts = client.settlements().payouts(&PayoutFilter::new());
/// // All of them, page after page as they are needed:
/// let mut items = payouts.items();
/// while let Some(payout) = items.next().await {
///     println!("{}", payout?.payment_reference);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a list is asked for when it is awaited"]
pub struct List<P> {
    shared: Arc<Shared>,
    operation: Result<Operation, Error>,
    /// Without a query.
    path: String,
    query: Query,
    page: std::marker::PhantomData<fn() -> P>,
}

impl<P: Page> List<P> {
    /// The operation is without its query.
    pub(crate) fn new(
        shared: Arc<Shared>,
        operation: Result<Operation, Error>,
        query: Query,
    ) -> Self {
        let path = operation.as_ref().map(|operation| operation.path.clone()).unwrap_or_default();
        Self { shared, operation, path, query, page: std::marker::PhantomData }
    }

    /// How long the call for each page may take, all its tries included.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.deadline = Some(deadline);
        }
        self
    }

    /// How often the call for each page is tried, instead of what the client was built with.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.policy = Some(policy);
        }
        self
    }

    /// Reads one page: the first, or the one that was asked for.
    pub async fn send(self) -> Result<Response<P>, Error> {
        let mut operation = self.operation?;
        operation.path = self.query.on(&self.path);
        fetch(&self.shared, &operation).await
    }

    /// All items from there on. Pages are read when they are needed.
    ///
    /// After an error the stream ends; what was given before is good.
    pub fn items(self) -> Items<P> {
        let step = match self.operation {
            Ok(mut operation) => {
                operation.path = self.query.on(&self.path);
                Step::Ready(Box::new(operation), Asked(self.query))
            }
            Err(error) => Step::Failed(error),
        };
        Items { shared: self.shared, path: self.path, step, page: Vec::new().into_iter() }
    }
}

impl<P: Page> IntoFuture for List<P> {
    type Output = Result<Response<P>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

async fn fetch<P: Page>(shared: &Shared, operation: &Operation) -> Result<Response<P>, Error> {
    let answer = shared.call(operation).await?;
    call::read_answer(operation, answer, call::json)
}

type Fetching<P> = Pin<Box<dyn Future<Output = Fetched<P>> + Send>>;
type Fetched<P> = (Box<Operation>, Asked, Result<Response<P>, Error>);

enum Step<P> {
    Ready(Box<Operation>, Asked),
    Fetching(Fetching<P>),
    Failed(Error),
    Ended,
}

/// All items of a list: a [`Stream`] that reads page after page as they are needed.
pub struct Items<P: Page> {
    shared: Arc<Shared>,
    path: String,
    step: Step<P>,
    page: std::vec::IntoIter<P::Item>,
}

impl<P: Page> Items<P> {
    /// The next item. The same as what the [`Stream`] gives, for those who do not import a trait for it.
    pub async fn next(&mut self) -> Option<Result<P::Item, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// All items at once. For lists that are known to be short.
    pub async fn collect(mut self) -> Result<Vec<P::Item>, Error> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }

    /// What to do after a page that was read by `operation`.
    fn after(&self, mut operation: Box<Operation>, asked: &Asked, next: Next) -> Step<P> {
        let (path, asked) = match next {
            Next::End => return Step::Ended,
            Next::Ask(query) => (query.on(&self.path), Asked(query)),
            Next::Link(link) => {
                let Some(path) = query::below(&self.shared.base, &link, &self.path) else {
                    let detail = "the answer's link to the next page leads to another path";
                    return Step::Failed(broken_list(&operation, detail));
                };
                (path, asked.clone())
            }
        };
        if path == operation.path {
            let detail = "the answer's link to the next page leads to the same page";
            return Step::Failed(broken_list(&operation, detail));
        }
        operation.path = path;
        Step::Ready(operation, asked)
    }
}

fn broken_list(operation: &Operation, detail: &str) -> Error {
    let circumstances = Circumstances {
        call: operation.name(),
        idempotency_key: None,
        tries: 1,
        repeat: Repeat::Safe,
        outcome: Outcome::Known,
    };
    Error::decode(circumstances, None, detail, None)
}

impl<P: Page> Stream for Items<P> {
    type Item = Result<P::Item, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<P::Item, Error>>> {
        loop {
            if let Some(item) = self.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match std::mem::replace(&mut self.step, Step::Ended) {
                Step::Ready(operation, asked) => {
                    let shared = Arc::clone(&self.shared);
                    self.step = Step::Fetching(Box::pin(async move {
                        let page = fetch(&shared, &operation).await;
                        (operation, asked, page)
                    }));
                }
                Step::Fetching(mut fetching) => {
                    let Poll::Ready((operation, asked, page)) = fetching.as_mut().poll(context)
                    else {
                        self.step = Step::Fetching(fetching);
                        return Poll::Pending;
                    };
                    let page = match page {
                        Ok(page) => page.into_inner(),
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    };
                    let Following(next) = page.following(&asked);
                    self.step = self.after(operation, &asked, next);
                    self.page = page.into_items().into_iter();
                }
                Step::Failed(error) => return Poll::Ready(Some(Err(error))),
                Step::Ended => return Poll::Ready(None),
            }
        }
    }
}
