-- Lists of runs read no more rows than they answer, whatever they are filtered by.
CREATE INDEX runs_by_organization ON runs (organization, id);
CREATE INDEX runs_by_slot ON runs (slot, id);
CREATE INDEX runs_unfinished_by_organization ON runs (organization, id) WHERE finished = 0;

-- Whether a service uses what somebody wants to remove.
CREATE INDEX services_by_runtime ON services (organization, runtime);
CREATE INDEX services_by_build_runtime ON services (organization, build_runtime);
CREATE INDEX services_by_registry ON services (organization, registry);
CREATE INDEX services_by_provider ON services (organization, json_extract(body, '$.source.git.provider'));
