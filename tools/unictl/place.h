// Where a verb looks for what it works on: this host's places, or others for a try.
#pragma once

#include <optional>
#include <string>

#include "app/options.h"
#include "module/registry.h"
#include "settings/compiled.h"
#include "unicni/folders.h"

namespace unicni::unictl {

/// The real path of an executable, beside which its modules are looked for: links to it may be
/// anywhere. As it is if there is nothing.
std::string resolved(const std::string& path);

class PlaceOptions {
 public:
  void declare(app::Options& options);
  [[nodiscard]] Folders folders() const;
  /// Of other settings or another executable nothing is kept in this host's folder, which verbs go
  /// by.
  [[nodiscard]] settings::Keep keep() const;
  /// Error if a folder of settings was given that isn't there. This host need not have one.
  void require_settings() const;
  /// Of the executable that is installed with unictl, or of the one that was given; its modules and
  /// CNI_PATH of the environment.
  [[nodiscard]] module::Locations locations() const;

 private:
  std::optional<std::string> settings_;
  std::optional<std::string> run_;
  std::optional<std::string> executable_;
};

}  // namespace unicni::unictl
