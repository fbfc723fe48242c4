-- A case of the exception queue is closed by a person, who says why. Where money is written off by words, one asks and another agrees:
-- `asked_by` is set and the case is still open. Said again by the rules, a closed case opens anew.
ALTER TABLE exception_case ADD COLUMN resolution text CHECK (length(resolution) <= 500);
ALTER TABLE exception_case ADD COLUMN asked_by text;
ALTER TABLE exception_case ADD COLUMN asked_by_user uuid;
ALTER TABLE exception_case ADD COLUMN asked_at timestamptz;
ALTER TABLE exception_case ADD COLUMN resolved_by text;
ALTER TABLE exception_case ADD COLUMN resolved_at timestamptz CHECK ((state = 'resolved') = (resolved_at IS NOT NULL));
-- The queue is what is open: however many are closed, a page is a range of this.
CREATE INDEX exception_case_open ON exception_case (id, tenant_id) WHERE state = 'open';
