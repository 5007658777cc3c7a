-- Tasks that ended without a result, by when: they are looked through for what dead workers left. Completed ones, of which
-- there are most, cost nothing here.
CREATE INDEX tasks_ended ON tasks (queue, finished_at, id) WHERE stage IN ('failed', 'cancelled');
