//! What was acknowledged, held against what became of it: records, rows, events and files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Client, DataFolder, ServerOptions, eventually};

/// Longer than the age at which files without a task are swept.
const LONG_AGO: Duration = Duration::from_secs(25 * 3600);

/// The tasks a client was promised.
#[derive(Debug)]
pub(super) struct Ledger {
    acknowledged: BTreeSet<String>,
    max_attempts: u64,
}

impl Ledger {
    pub(super) fn new(max_attempts: u64) -> Self {
        Self {
            acknowledged: BTreeSet::new(),
            max_attempts,
        }
    }

    /// Notes tasks that were answered 202.
    pub(super) fn acknowledged(&mut self, tasks: Vec<String>) {
        let before = self.acknowledged.len();
        let added = tasks.len();
        self.acknowledged.extend(tasks);
        assert_eq!(self.acknowledged.len(), before + added, "a task id was given out twice");
    }

    /// Lets a server finish the work, and checks all that is left of it.
    pub(super) fn settle(&self, data: &DataFolder, options: &ServerOptions) {
        let server = options.clone().start(data);
        let client = server.client();
        let records = self.final_records(client);
        let files = files_of(&records);
        for record in records.values() {
            self.check_record(client, record);
        }
        server.stop();
        check_rows(data, &records);
        check_strays(data, &files, &records);

        // What an upload left that never became a task goes with age, and nothing else does.
        grow_old(data.path());
        let server = options.clone().start(data);
        eventually("the sweep of what no task owns", || {
            (entries(data) == with_folders(&files)).then_some(())
        });
        for record in records.values() {
            self.check_record(server.client(), record);
        }
        server.stop();
        check_rows(data, &records);
        assert_eq!(entries(data), with_folders(&files));
        check_process_traces(data);
    }

    /// The records of all tasks there are, each in a final state.
    fn final_records(&self, client: Client) -> BTreeMap<String, Value> {
        for task in &self.acknowledged {
            client.wait_until_final(task);
        }
        // Tasks may have come into being whose client was never told.
        let all = all_tasks(client).into_iter();
        let records: BTreeMap<String, Value> = all
            .map(|task| {
                let record = client.wait_until_final(&task);
                (task, record)
            })
            .collect();
        for task in &self.acknowledged {
            assert!(records.contains_key(task), "task {task} is not listed");
        }
        records
    }

    fn check_record(&self, client: Client, record: &Value) {
        let attempt = record["attempt"].as_u64().unwrap();
        assert!((1..=self.max_attempts).contains(&attempt), "{record:#}");
        match record["state"].as_str() {
            Some("completed") => check_outputs(client, record),
            Some("failed") => {
                assert_eq!(record["failure"]["code"], "crashed", "{record:#}");
                assert_eq!(attempt, self.max_attempts, "{record:#}");
                assert_eq!(record["outputs"].as_array().unwrap().len(), 0, "{record:#}");
            }
            _ => panic!("neither completed nor failed: {record:#}"),
        }
    }
}

/// Both outputs can be fetched and are what the record says.
fn check_outputs(client: Client, record: &Value) {
    let outputs = record["outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), 2, "{record:#}");
    for output in outputs {
        let fetched = client.get(output["url"].as_str().unwrap()).expect(200);
        assert_eq!(
            fetched.body.len() as u64,
            output["bytes"].as_u64().unwrap(),
            "{record:#}"
        );
        let hash = format!("\"{}\"", output["blake3"].as_str().unwrap());
        assert_eq!(fetched.header("etag"), hash);
    }
}

fn all_tasks(client: Client) -> Vec<String> {
    let mut tasks = Vec::new();
    let mut path = "/v1/tasks?limit=100".to_owned();
    loop {
        let page = client.get(&path).expect(200).json();
        let listed = page["tasks"].as_array().unwrap();
        tasks.extend(listed.iter().map(|task| task["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/tasks?limit=100&cursor={next}"),
            None => return tasks,
        }
    }
}

/// The files that belong to the tasks: each one's input, and the outputs its record names.
fn files_of(records: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for (task, record) in records {
        let shard = &task[task.len() - 2..];
        let name = record["input"]["name"].as_str().unwrap();
        files.insert(format!("tasks/{shard}/{task}/in/{name}"));
        let outputs = record["outputs"].as_array().unwrap().iter();
        files.extend(outputs.map(|output| output["path"].as_str().unwrap().to_owned()));
    }
    files
}

/// `files` and the folders above them, the latter with a slash at their end.
fn with_folders(files: &BTreeSet<String>) -> BTreeSet<String> {
    let mut entries = files.clone();
    for file in files {
        let folders = Path::new(file).ancestors().skip(1);
        // The tasks' own folder and the shards are always there, and not listed.
        let own = folders.filter(|folder| folder.components().count() > 2);
        entries.extend(own.map(|folder| format!("{}/", folder.display())));
    }
    entries
}

/// Files and folders below the shards, as [`with_folders`] writes them.
fn entries(data: &DataFolder) -> BTreeSet<String> {
    let entries = data.entries().into_iter();
    let paths = entries.map(|entry| entry.split(' ').next().unwrap_or_default().to_owned());
    paths
        .filter(|path| path.starts_with("tasks/") && path.trim_end_matches('/').split('/').count() > 2)
        .collect()
}

/// No lock and no socket of a process that is gone stays behind.
fn check_process_traces(data: &DataFolder) {
    let entries = data.entries().into_iter();
    let known = ["tasks/", "peers/", "workers/"];
    let strays: Vec<String> = entries
        .filter(|entry| !entry.starts_with("tasks/") && !known.contains(&entry.as_str()))
        .collect();
    assert_eq!(strays, [""; 0]);
}

/// Before the sweep, too: all files of tasks are there, and what is there besides belongs to an upload that never
/// became a task. What a dead attempt wrote is gone.
fn check_strays(data: &DataFolder, files: &BTreeSet<String>, records: &BTreeMap<String, Value>) {
    let found: BTreeSet<String> = data.task_files().into_iter().collect();
    let missing: Vec<_> = files.difference(&found).collect();
    assert!(missing.is_empty(), "files of tasks are missing: {missing:#?}");
    let strays = found.difference(files);
    for stray in strays {
        let task = stray.split('/').nth(2).unwrap_or_default();
        assert!(!records.contains_key(task), "a stray file of a task: {stray}");
    }
}

/// As many records as tasks, no lease left, and each task's history with one beginning and one end.
fn check_rows(data: &DataFolder, records: &BTreeMap<String, Value>) {
    let rows = data.row_counts();
    assert_eq!(rows["tasks"], records.len() as u64, "{rows:?}");
    for table in ["leases", "deletions", "idempotency", "probe"] {
        assert_eq!(rows[table], 0, "{table}: {rows:?}");
    }
    let database = data.open_database();
    // What a killed worker said of itself runs out by itself, and the installation stays.
    let registered: i64 = database
        .query_row(
            "SELECT count(*) FROM registry WHERE namespace NOT IN ('workers', 'installation')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(registered, 0);
    let mut statement = database
        .prepare(
            "SELECT lower(hex(task)), \
                    sum(kind = 'task.queued'), sum(kind = 'task.completed'), sum(kind = 'task.failed'), \
                    sum(kind = 'task.started') \
             FROM events GROUP BY task",
        )
        .unwrap();
    let histories: BTreeMap<String, [u64; 4]> = statement
        .query_map([], |row| {
            let counts = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            Ok((row.get(0)?, counts.map(|count: i64| count as u64)))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(histories.len(), records.len(), "tasks with events: {histories:?}");
    for (task, record) in records {
        let [queued, completed, failed, started] = histories[&task.replace('-', "")];
        let is_completed = record["state"] == "completed";
        assert_eq!(queued, 1, "{record:#}");
        assert_eq!(
            (completed, failed),
            (u64::from(is_completed), u64::from(!is_completed)),
            "{record:#}"
        );
        assert_eq!(started, record["attempt"].as_u64().unwrap(), "{record:#}");
    }
}

/// Makes all files and folders of tasks old.
fn grow_old(data: &Path) {
    let old = std::time::SystemTime::now() - LONG_AGO;
    let mut folders = vec![data.join("tasks")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            std::fs::File::open(&path).unwrap().set_modified(old).unwrap();
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
}
