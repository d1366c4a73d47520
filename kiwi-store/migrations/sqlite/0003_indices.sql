-- Lists of runs read no more rows than they answer, whatever they are filtered by. SQLite has no statistics here and takes the index that fits most
-- columns, so each begins with the organization, which every list names.
CREATE INDEX runs_of_organization ON runs (organization, id);
CREATE INDEX runs_of_service ON runs (organization, service, id);
CREATE INDEX runs_of_slot ON runs (organization, slot, id);
CREATE INDEX runs_unfinished_of_organization ON runs (organization, id) WHERE finished = 0;
CREATE INDEX runs_unfinished_of_slot ON runs (organization, slot, id) WHERE finished = 0;
-- The first two indices stay for what they are still best at: removing a service with its runs, and a version of Kiwi before this one.

-- Whether a service uses what somebody wants to remove.
CREATE INDEX services_by_runtime ON services (organization, runtime);
CREATE INDEX services_by_build_runtime ON services (organization, build_runtime);
CREATE INDEX services_by_registry ON services (organization, registry);
CREATE INDEX services_by_provider ON services (organization, json_extract(body, '$.source.git.provider'));
