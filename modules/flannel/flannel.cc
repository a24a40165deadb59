// flannel: attaches containers to the overlay that flanneld keeps, by another plugin whose
// configuration it writes.
#include <fmt/core.h>

#include <optional>
#include <string>

#include "config.h"
#include "render.h"
#include "state.h"
#include "subnet_env.h"
#include "unicni/error.h"
#include "unicni/module.h"
#include "unicni/sys/file.h"

namespace unicni::flannel {

namespace {

std::optional<SubnetEnv> find_subnet_env(const std::string& path) {
  try {
    if (is_clean(path)) return load_subnet_env(path);
  } catch (const Error&) {  // flanneld may be gone for good
  }
  return std::nullopt;
}

class Flannel : public Module {
 public:
  void validate(const Call& call) override {
    const auto& options = call.options<FlannelOptions>();
    require_valid(options);
    if (call.command == Command::add) static_cast<void>(load_subnet_env(options.subnet_file));
    if (call.command == Command::check && !call.prev_result) {
      throw Error(Code::invalid_config, "CHECK needs prevResult, the result of ADD",
                  "run ADD first; the runtime must then send its result as prevResult with CHECK");
    }
  }

  Result add(const Call& call, Host& host) override {
    const auto& options = call.options<FlannelOptions>();
    const std::string config = render(call, options, load_subnet_env(options.subnet_file));
    host.delegate().configure(config);
    save_state(call, host, options.data_dir, config);
    return host.delegate().add();
  }

  void del(const Call& call, Host& host) override {
    const auto& options = call.options<FlannelOptions>();
    std::optional<State> state;
    std::optional<Error> unreadable;
    try {
      if (is_clean(options.data_dir)) {
        state = find_state(call, host, options.data_dir);
      } else {
        host.log(LogLevel::warning, fmt::format("dataDir \"{}\" is no absolute path: no ADD can "
                                                "have used it",
                                                options.data_dir));
      }
    } catch (const Error& error) {
      unreadable = error;
    }
    Delegate& delegate = host.delegate();
    const bool known = state && configure_from(*state, host);
    if (!known) {
      delegate.configure(render(call, options, find_subnet_env(options.subnet_file)));
    }
    // A program gets the configuration of its ADD or none: it may refuse one without subnets. What
    // the journal knew of it is undone already.
    if (known || delegate.in_process()) {
      try {
        delegate.del();
      } catch (Error& error) {
        if (state) error.advise(advice(error, state->path));
        throw;
      }
    }
    if (state) sys::remove_file(state->path);
    if (unreadable) throw Error(*unreadable);
  }

  void check(const Call& call, Host& host) override {
    const auto& options = call.options<FlannelOptions>();
    const auto state = find_state(call, host, options.data_dir);
    if (!state || state->config.empty()) {
      throw Error(Code::internal,
                  fmt::format("{} {}", state ? state->path : shared_path(call, options.data_dir),
                              state ? "is no configuration" : "is missing, which ADD had written"),
                  "run DEL and then ADD for the attachment, which writes the file again; the "
                  "reference's plugin can't delete the attachment without it");
    }
    host.delegate().configure(state->config);
    host.delegate().check();
  }

  void gc(const Call& call, Host& host) override {
    const auto& options = call.options<FlannelOptions>();
    if (!call.valid_attachments) return;
    const auto leaked = list_leaked(call, options.data_dir, *call.valid_attachments);
    const auto env = find_subnet_env(options.subnet_file);
    Delegate& delegate = host.delegate();
    delegate.configure(render(call, options, env));
    if (env || delegate.in_process()) {
      delegate.gc();
    } else {
      host.log(LogLevel::warning,
               fmt::format("{} can't be used: the delegate collects nothing", options.subnet_file));
    }
    for (const State& state : leaked) sys::remove_file(state.path);
  }

  void status(const Call& call, Host& host) override {
    const auto& options = call.options<FlannelOptions>();
    std::optional<SubnetEnv> env;
    try {
      env = load_subnet_env(options.subnet_file);
    } catch (const Error& error) {
      throw Error(Code::not_available, error.msg(), error.details());
    }
    host.delegate().configure(render(call, options, env));
    host.delegate().status();
  }

 private:
  /// False: it isn't a configuration that anybody could DEL with.
  static bool configure_from(const State& state, Host& host) {
    try {
      if (!state.config.empty()) {
        host.delegate().configure(state.config);
        return true;
      }
      host.log(LogLevel::warning, state.path + " is no configuration: it is ignored");
    } catch (const Error& error) {
      host.log(LogLevel::warning, fmt::format("{} is ignored: {}", state.path, error.msg()));
    }
    return false;
  }
  static std::string advice(const Error& error, const std::string& path) {
    return fmt::format("{}{}{} is kept for the next DEL", error.details(),
                       error.details().empty() ? "" : "; ", path);
  }
};

}  // namespace

}  // namespace unicni::flannel

UNICNI_MODULE(flannel, link, unicni::flannel::Flannel, .options = &unicni::flannel::kFlannelOptions,
              .traits = unicni::Trait::delegates);
