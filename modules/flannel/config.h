// What flannel can be told.
#pragma once

#include <optional>
#include <string>

#include "unicni/json_object.h"
#include "unicni/options.h"

namespace unicni::flannel {

struct FlannelOptions {
  std::string subnet_file;
  std::string data_dir;
  std::optional<JsonObject> delegate;
  std::optional<JsonObject> ipam;
  std::optional<JsonObject> runtime_config;
};

extern const OptionTable kFlannelOptions;

/// Whether `path` may be used by root: absolute, and without "..".
bool is_clean(const std::string& path);
/// Refuses paths and delegates that can't be. Throws Error(invalid_config).
void require_valid(const FlannelOptions& options);

}  // namespace unicni::flannel
