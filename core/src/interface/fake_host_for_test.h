// A host for tests of modules.
#pragma once

#include <stdexcept>
#include <vector>

#include "undo/fake_kernel_for_test.h"
#include "unicni/host.h"

namespace unicni {

/// Keeps what is announced. There is no IPAM.
class FakeHost : public FakeKernelOf<Host>, public UndoLog {
 public:
  UndoLog& undo() override { return *this; }
  Ipam& ipam() override { throw std::logic_error("ipam"); }
  [[nodiscard]] const Folders& folders() const override { return used; }
  void announce(const Undo& record) override { records.push_back(record); }

  std::vector<Undo> records;
  Folders used;
};

}  // namespace unicni
