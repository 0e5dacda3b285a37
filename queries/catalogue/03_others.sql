-- Question: what was said about each deployment, failure and ticket, by which snapshot?
-- Reads:    files.deployment, files.failure, files.ticket.
-- Gives:    deployments_history, failures_history, tickets_history.

create view deployments_history as select * from files.deployment;
create view failures_history as select * from files.failure;
create view tickets_history as select * from files.ticket;
