// What unictl conformance tells of a plugin.
#pragma once

#include <vector>

#include "app/report.h"
#include "conformance/suite.h"

namespace unicni::unictl {

/// Of its report, in their order: the plugin, findings, checks.
std::vector<const app::TableShape*> conformance_tables();

/// People (not `is_json`) get what blocked many checks on one line, and the table of checks only if
/// `shows_all`.
app::Report report_of(const conformance::Subject& subject, const conformance::Course& course,
                      bool is_json, bool shows_all);

}  // namespace unicni::unictl
