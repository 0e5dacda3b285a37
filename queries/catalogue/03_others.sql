-- Question: what was said about each fact of the kinds that need nothing from elsewhere, by which snapshot?
-- Reads:    files.deployment and its like.
-- Gives:    deployments_history and its like.

create view deployments_history as select * from files.deployment;
create view failures_history as select * from files.failure;
create view tickets_history as select * from files.ticket;
create view waits_history as select * from files.wait;
create view decisions_history as select * from files.decision;
create view artifacts_history as select * from files.artifact;
create view acts_history as select * from files.act;
