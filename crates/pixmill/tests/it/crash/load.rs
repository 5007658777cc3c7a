//! Clients that upload one image after the other until the server is gone.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rand::RngExt;
use rand::rngs::StdRng;

use crate::harness::{Client, Form, PATIENCE, Request, task_id, testdata};

/// Two outputs, so that a task can die between them.
const RECIPE: &str = "grayscale | blur:2 => png:name={name}_whole ; resize:16 | webp:name={name}_small";

/// Small ones: what is tried is dying, not milling.
const IMAGES: [&str; 3] = [
    "pngsuite/basn2c08.png",
    "pngsuite/basn6a08.png",
    "bench/photo_0.3mp.jpg",
];

/// Clients at work.
#[derive(Debug)]
pub(super) struct Load {
    clients: Vec<JoinHandle<()>>,
    accepted: Arc<Accepted>,
}

#[derive(Debug, Default)]
struct Accepted {
    progress: Mutex<Progress>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Progress {
    /// The ids that were answered 202.
    tasks: Vec<String>,
    /// Clients that go on.
    active: usize,
}

impl Load {
    /// Starts `clients` clients that upload `uploads` images each, or fewer when the server goes away.
    pub(super) fn start(client: Client, clients: usize, uploads: usize, random: &mut StdRng) -> Self {
        let accepted = Arc::new(Accepted::default());
        accepted.update(|progress| progress.active = clients);
        let images = IMAGES.map(|name| (name, Arc::new(testdata(name))));
        let start = |_| {
            let accepted = Arc::clone(&accepted);
            let images: Vec<_> = (0..uploads)
                .map(|_| images[random.random_range(0..images.len())].clone())
                .collect();
            thread::spawn(move || {
                // Also when an answer is not what it should be.
                let _active = Active(&accepted);
                for (name, image) in images {
                    let file_name = name.rsplit('/').next().unwrap_or(name);
                    let form = Form::new().text("recipe", RECIPE).file("file", file_name, &image);
                    // An error is what a death looks like from here.
                    let Ok(response) = client.try_send(Request::form("/upload", &form)) else {
                        return;
                    };
                    let task = task_id(&response.expect(202));
                    accepted.update(|progress| progress.tasks.push(task));
                }
            })
        };
        Self {
            clients: (0..clients).map(start).collect(),
            accepted,
        }
    }

    /// Waits until `tasks` uploads were accepted, or no client goes on.
    pub(super) fn wait_for(&self, tasks: usize) {
        let progress = self.accepted.progress.lock().unwrap();
        let waiting = |progress: &mut Progress| progress.tasks.len() < tasks && progress.active > 0;
        let (_progress, timeout) = self
            .accepted
            .changed
            .wait_timeout_while(progress, PATIENCE, waiting)
            .unwrap();
        assert!(!timeout.timed_out(), "no {tasks} uploads were accepted");
    }

    /// Waits for the clients; the ids of all tasks that were acknowledged.
    pub(super) fn join(self) -> Vec<String> {
        for client in self.clients {
            client.join().unwrap();
        }
        let mut progress = self.accepted.progress.lock().unwrap();
        std::mem::take(&mut progress.tasks)
    }
}

impl Accepted {
    fn update(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

/// Counts a client out when it ends.
struct Active<'a>(&'a Accepted);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.update(|progress| progress.active -= 1);
    }
}
