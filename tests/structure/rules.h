// The laws of the source tree. Each rule returns what breaks it, one text a place: "file:line:
// rule".
#pragma once

#include <string>
#include <vector>

#include "layer_table.h"
#include "source_tree.h"

namespace unicni::structure {

using Findings = std::vector<std::string>;
using Files = std::vector<SourceFile>;

/// A header of this tree is included with quotes: the laws below tell by them what is ours.
Findings quoted_headers(const Files&);
/// CMake hands tools/ out with -iquote: by -I the script tools/format is <format>, which a standard
/// header of GCC 14 includes.
Findings quoted_tools(const Files&);
/// Inside core a unit, its tests and its public headers include what is its own and what belongs to
/// the units that it stands on.
Findings core_layers(const Files&, const LayerTable&);
/// Modules include public headers and their own folder; their tests may look into core, but into no
/// other module. Nobody includes a module, and only exec includes exec.
Findings module_borders(const Files&, const LayerTable&);
/// Applications (tools/cnitool, tools/unictl) include core, tools/app and their own folder;
/// tools/app core and itself. Nobody else includes anything of them.
Findings application_borders(const Files&, const LayerTable&);
/// Libraries that only some places may include: JSON, Boost.DLL, yaml-cpp, CLI11, libnl, libmnl.
Findings library_borders(const Files&);
/// No shell and no raw socket in the product.
Findings forbidden_calls(const Files&);
/// Core and modules end no process: exec does, and the children of core/src/base/forked_child.h.
Findings ended_processes(const Files&);
/// Bytes get into netlink messages by core/src/net/attribute.h, which throws where they don't fit.
Findings unchecked_attributes(const Files&);

/// 600 lines a source file, 800 a test; CONTRIBUTING.md 120.
Findings file_sizes(const Files&);
/// Of core's lines that aren't blank, tests apart, 12 % are comments or more.
Findings comment_share(const Files&);
/// No util, common, helper …: a file is called by its noun.
Findings file_names(const Files&);
/// A *_test.cc with an unnamed namespace has a namespace of its own name around it: tests are
/// compiled several as one (unicni_quick_to_compile).
Findings test_namespaces(const Files&);
/// Every module has its README.md, example.conflist, CMakeLists.txt and <type>_test.cc.
Findings module_folders(const Files&);
/// core/DECISIONS.md begins with its index, whose entries each begin one title and leave none out;
/// titles stand between blank lines, over at most 8 lines of text.
Findings decisions(const Files&);
/// No unfinished work and no paths of one person's machine.
Findings leftovers(const Files&);

}  // namespace unicni::structure
