// What a plugin is given: variables and configuration.
#include <unistd.h>

#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

bool has(const Json& error, const std::string& word) {
  return error.value("msg", "").find(word) != std::string::npos ||
         error.value("details", "").find(word) != std::string::npos;
}

void name_is_needed(Trial& t) {
  Attachment job = t.attachment();
  job.config.erase("name");
  t.fails("CONF-02", t.add(job), "ADD of a configuration without name", 7);
}

void name_is_checked(Trial& t) {
  Attachment job = t.attachment();
  for (const char* name : {"a/b", "_x", "..", "a\n", "", "a b"}) {
    job.config["name"] = name;
    t.fails("CONF-03", t.add(job), "ADD with the name " + job.config["name"].dump(), 7);
  }
}

void no_version(Trial& t) {
  Attachment job = t.attachment();
  job.config.erase("cniVersion");
  const Output output = t.add(job);
  if (!t.subject().versions().empty() && t.subject().versions().front() != "0.1.0") {
    t.fails("CONF-05", output, "ADD without cniVersion, which is 0.1.0", 1);
    return;
  }
  if (!t.succeeds("CONF-05", output, "ADD without cniVersion")) return;
  const Json result = parse_json(output.out);
  if (!result.is_object()) return;  // OUT-01's
  t.expect(result.value("cniVersion", "0.1.0") == "0.1.0", "CONF-05",
           "the result of a configuration without cniVersion is of 0.1.0: " + output.str());
}

void reserved_keys(Trial& t) {
  Attachment job = t.attachment();
  job.config["cni.dev/something"] = 1;
  t.succeeds("CONF-21", t.add(job), "ADD with a key cni.dev/something");
}

void args_key(Trial& t) {
  Attachment job = t.attachment();
  job.config["args"] = {{"org.example", {{"labels", Json::array({"a"})}}}};
  t.succeeds("CONF-23", t.add(job), "ADD with a foreign key in \"args\"");
}

void trailing_data(Trial& t) {
  const Attachment job = t.attachment();
  Spawn spawn = t.spawn(job, "ADD", job.config);
  spawn.in += " {}";
  t.fails("CONF-29", t.call(spawn), "ADD with something behind the configuration");
}

void missing_are_named(Trial& t) {
  const Json config = t.attachment().config;
  const Json error = t.fails("EXEC-04", t.bare({"CNI_COMMAND=ADD"}, config.dump()),
                             "ADD with no variable but CNI_COMMAND", 4);
  if (error.empty()) return;
  for (const char* variable : {"CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"}) {
    t.expect(has(error, variable), "ERR-03",
             std::string("the message names ") + variable + ": " + error.dump());
  }
}

void empty_is_missing(Trial& t) {
  Attachment job = t.attachment();
  for (std::string* value : {&job.container_id, &job.netns, &job.if_name}) {
    const std::string kept = *value;
    value->clear();
    t.fails("EXEC-05", t.add(job), "ADD with an empty variable (was \"" + kept + "\")", 4);
    *value = kept;
  }
}

void invalid_before_missing(Trial& t) {
  Attachment job = t.attachment();
  job.netns.clear();
  job.if_name = "a/b";
  const Json error =
      t.fails("EXEC-06", t.add(job), "ADD without CNI_NETNS and with CNI_IFNAME a/b", 4);
  if (error.empty()) return;
  t.expect(!has(error, "CNI_NETNS"), "EXEC-06",
           "the invalid variable is reported, not the missing one: " + error.dump());
}

void container_ids(Trial& t) {
  for (const char* id : {"_c", "c\n", "a b", "../x", "-", "\xc3\xa4"}) {
    Attachment job = t.attachment();
    job.container_id = id;
    t.fails("EXEC-07", t.add(job), "ADD with the container id " + Json(id).dump(), 4);
  }
  Attachment job = t.attachment();
  job.container_id = "0";
  t.succeeds("EXEC-07", t.add(job), "ADD with the container id 0");
}

void interface_names(Trial& t) {
  Attachment job = t.attachment();
  for (const char* name : {"sixteen-bytes-xx", ".", "..", "a/b", "a:b", "a b",
                           "a\xc2\xa0"
                           "b"}) {
    job.if_name = name;
    t.fails("EXEC-08", t.add(job), "ADD with CNI_IFNAME " + Json(name).dump(), 4);
  }
}

void exact_commands(Trial& t) {
  for (const char* command : {"add", "NOPE", "ADD "}) {
    const Attachment job = t.attachment();
    const Json error = t.fails("EXEC-09", t.call(job, command, job.config),
                               std::string("CNI_COMMAND \"") + command + '"', 4);
    t.expect(error.empty() || has(error, command), "EXEC-09",
             "the error names the command: " + error.dump());
  }
}

void explains_itself(Trial& t) {
  const Output output = t.bare({});
  if (!t.succeeds("EXEC-10", output, "the plugin without CNI_COMMAND")) return;
  t.expect(output.out.empty() && output.err.find(t.subject().newest()) != std::string::npos,
           "EXEC-10", "its versions stand on stderr, nothing on stdout: " + output.str());
}

void search_path(Trial& t) {
  const Recorder ipam("fake-ipam");
  Attachment job = t.attachment();
  job.config["ipam"] = {{"type", "fake-ipam"}};
  job.cni_path.clear();
  t.fails("EXEC-11", t.add(job), "ADD with a delegate and an empty CNI_PATH");
}

void stdin_is_an_object(Trial& t) {
  const Attachment job = t.attachment();
  Spawn spawn = t.spawn(job, "ADD", job.config);
  for (const char* in : {"", "{", "[]", "1", "{\"a\": 1,}"}) {
    spawn.in = in;
    t.fails("EXEC-13", t.call(spawn), std::string("ADD with \"") + in + "\" on stdin", 6);
  }
  spawn.closed = {STDIN_FILENO};
  t.fails("EXEC-13", t.call(spawn), "ADD with stdin closed", 5);
}

void failures_exit(Trial& t) {
  Attachment job = t.attachment();
  job.config["name"] = "a/b";
  int errors = 0;
  for (const Output& output :
       {t.add(job), t.call(job, "NOPE", job.config), t.bare({"CNI_COMMAND=ADD"}, "{}")}) {
    const Json error = parse_json(output.out);
    if (!error.is_object() || !error.contains("code")) continue;
    ++errors;
    t.expect(output.status > 0 && output.signal == 0, "EXEC-17",
             "an error is told by the exit status: " + output.str());
  }
  if (errors == 0) throw Blocked("no wrong call is answered by an error object");
}

void capabilities(Trial& t) {
  Attachment job = t.attachment();
  job.config["capabilities"] = {{"portMappings", true}, {"x-unknown", true}};
  t.succeeds("REQ-04", t.add(job), "ADD with \"capabilities\" in the request");
}

const Check kChecks[] = {
    {"CONF-02", "a configuration has a name", Level::must, "0.1.0", &every, &name_is_needed},
    {"CONF-03", "the name of a network is checked", Level::must, "0.1.0", &every, &name_is_checked},
    {"CONF-05", "without cniVersion it is 0.1.0", Level::must, "0.1.0",
     [](const Subject& s) { return !chained(s); }, &no_version},
    {"CONF-21", "keys that are reserved for runtimes do no harm", Level::must, "0.1.0", &every,
     &reserved_keys},
    {"CONF-23", "args of others do no harm", Level::must, "0.1.0", &every, &args_key},
    {"CONF-29", "nothing stands behind the configuration", Level::should, "0.1.0", &every,
     &trailing_data},
    {"EXEC-04 ERR-03", "all missing variables are named", Level::must, "0.1.0", &every,
     &missing_are_named},
    {"EXEC-05", "an empty variable is a missing one", Level::must, "0.1.0", &every,
     &empty_is_missing},
    {"EXEC-06", "an invalid variable is told before a missing one", Level::should, "0.1.0", &every,
     &invalid_before_missing},
    {"EXEC-07", "container ids are checked", Level::must, "0.1.0", &every, &container_ids},
    {"EXEC-08", "interface names are checked", Level::must, "0.1.0", &every, &interface_names},
    {"EXEC-09", "commands are exact", Level::must, "0.1.0", &every, &exact_commands},
    {"EXEC-10", "without a command the plugin explains itself", Level::should, "0.1.0", &every,
     &explains_itself},
    {"EXEC-11", "a delegate is looked for in CNI_PATH and nowhere else", Level::must, "0.1.0",
     &delegates, &search_path},
    {"EXEC-13", "stdin is one JSON object", Level::must, "0.1.0", &every, &stdin_is_an_object},
    {"EXEC-17", "who fails does not exit with 0", Level::must, "0.1.0", &every, &failures_exit},
    {"REQ-04", "capabilities in the request do no harm", Level::must, "0.1.0", &every,
     &capabilities},
};

}  // namespace

std::span<const Check> request_rules() { return kChecks; }

}  // namespace unicni::conformance
