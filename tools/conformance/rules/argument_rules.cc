// CNI_ARGS. Who reads it is a consumer; the others must not look at it.
#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

Output add_with(Trial& t, const std::string& args) {
  Attachment job = t.attachment();
  job.env["CNI_ARGS"] = args;
  return t.add(job);
}

/// It is one if an unknown key is its error.
bool is_consumer(Trial& t) {
  t.needs_working_add();
  return !add_with(t, "X_UNKNOWN=1").ok();
}

void pieces(Trial& t) {
  if (!is_consumer(t)) return;
  for (const char* args : {"IgnoreUnknown=1;A", "IgnoreUnknown=1;A=b=c", "IgnoreUnknown=1;"}) {
    t.fails("ARGS-02", add_with(t, args), std::string("ADD with CNI_ARGS ") + args);
  }
  t.succeeds("ARGS-02", add_with(t, "IgnoreUnknown=1;A="), "ADD with CNI_ARGS IgnoreUnknown=1;A=");
}

void keys_are_exact(Trial& t) {
  if (!is_consumer(t)) return;
  for (const char* args : {"ignoreunknown=1;X_UNKNOWN=1", " IgnoreUnknown=1;X_UNKNOWN=1"}) {
    t.fails("ARGS-03", add_with(t, args), std::string("ADD with CNI_ARGS ") + args);
  }
}

void unknown_keys(Trial& t) {
  t.needs_working_add();
  const Output refused = add_with(t, "X_UNKNOWN=1");
  if (refused.ok()) return;
  const Json error = parse_json(refused.out);
  // Whether errors are objects is OUT-03's.
  t.expect(refused.status > 0 && (!error.is_object() || error.value("code", 0) > 0), "ARGS-09",
           "an unknown key of CNI_ARGS is an ordinary error: " + refused.str());
  for (const char* args : {"X_UNKNOWN=1;IgnoreUnknown=1", "IgnoreUnknown=1;X_UNKNOWN=1"}) {
    t.succeeds("ARGS-04", add_with(t, args), std::string("ADD with CNI_ARGS ") + args);
  }
}

void booleans(Trial& t) {
  if (!is_consumer(t)) return;
  for (const char* yes : {"1", "true", "TRUE", "True"}) {
    t.succeeds("ARGS-05", add_with(t, std::string("X_UNKNOWN=1;IgnoreUnknown=") + yes),
               std::string("ADD with IgnoreUnknown=") + yes);
  }
  for (const char* other : {"yes", "2", ""}) {
    t.fails("ARGS-05", add_with(t, std::string("X_UNKNOWN=1;IgnoreUnknown=") + other),
            std::string("ADD with IgnoreUnknown=") + other);
  }
}

void empty(Trial& t) { t.succeeds("ARGS-06", add_with(t, ""), "ADD with an empty CNI_ARGS"); }

void kubernetes(Trial& t) {
  Attachment job = t.attachment();
  job.env["CNI_ARGS"] =
      "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;"
      "K8S_POD_INFRA_CONTAINER_ID=0123456789abcdef;K8S_POD_UID=5f1c7a12-1f5e-4a43-8f5e-"
      "0c2f2f3f4a5b";
  const Output output = t.add(job);
  if (!t.succeeds("ARGS-07", output, "ADD with what Kubernetes sends")) return;
  t.succeeds("ARGS-07", t.del(job, parse_json(output.out)), "DEL with what Kubernetes sends");
}

std::string first_address(const Json& result) {
  const std::vector<std::string> addresses = addresses_in(result);
  return addresses.empty() ? std::string() : addresses.front();
}

std::string without_prefix(const std::string& address) {
  return address.substr(0, address.find('/'));
}

/// Asks for an address with the key of the configuration and with that of CNI_ARGS.
std::string asked(Trial& t, const std::string& by_key, const std::string& by_args) {
  Attachment job = t.attachment();
  if (!by_key.empty()) job.config["args"] = {{"cni", {{"ips", Json::array({by_key})}}}};
  if (!by_args.empty()) job.env["CNI_ARGS"] = "IP=" + without_prefix(by_args);
  const Json result = parse_json(t.add(job).out);
  if (!result.is_object()) return {};
  t.del(job, result);
  return first_address(result);
}

void key_before_args(Trial& t) {
  const Attachment first = t.attachment();
  const Attachment second = t.attachment();
  const Json first_result = t.must_add(first);
  const Json second_result = t.must_add(second);
  t.must_del(first, first_result);
  t.must_del(second, second_result);
  const std::string one = first_address(first_result);
  const std::string two = first_address(second_result);
  if (one == two || asked(t, two, "") != two || asked(t, "", one) != one) return;
  // An error is as good: the two contradict each other.
  t.expect(asked(t, two, one) != one, "ARGS-08",
           "IP of CNI_ARGS " + one + " doesn't go before args.cni.ips " + two);
}

const Check kChecks[] = {
    {"ARGS-02", "every piece of CNI_ARGS is a key and a value", Level::must, "0.1.0", &every,
     &pieces},
    {"ARGS-03", "keys of CNI_ARGS are exact", Level::must, "0.1.0", &every, &keys_are_exact},
    {"ARGS-04 ARGS-09", "IgnoreUnknown lets unknown keys pass", Level::must, "0.1.0", &every,
     &unknown_keys},
    {"ARGS-05", "truth is 1 or true, in any case", Level::must, "0.1.0", &every, &booleans},
    {"ARGS-06", "CNI_ARGS may be empty", Level::must, "0.1.0", &every, &empty},
    {"ARGS-07", "what Kubernetes sends is tolerated", Level::should, "0.1.0", &every, &kubernetes},
    {"ARGS-08", "a key of the configuration goes before its twin of CNI_ARGS", Level::should,
     "0.1.0", &is_ipam, &key_before_args},
};

}  // namespace

std::span<const Check> argument_rules() { return kChecks; }

}  // namespace unicni::conformance
