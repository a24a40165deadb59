// What core gives a module to work with during one verb.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/call.h"
#include "unicni/daemon.h"
#include "unicni/folders.h"
#include "unicni/ip.h"
#include "unicni/undo.h"
#include "unicni/undo/host_kernel.h"
#include "unicni/undo/lease.h"

namespace unicni {

/// The step's IPAM: a module in this process, or a program found in CNI_PATH. Without "ipam.type"
/// all but `given()` throw.
class Ipam {
 public:
  virtual ~Ipam();
  [[nodiscard]] virtual bool given() const = 0;  ///< "ipam.type" is set
  /// True for IPAM that talks through the container's interface (dhcp): ask it after the link
  /// exists and is up.
  [[nodiscard]] virtual bool needs_link() const = 0;
  virtual Result add() = 0;  ///< addresses, routes, dns; undo is armed by core
  virtual void del() = 0;
  virtual void check() = 0;
  virtual void gc() = 0;
  virtual void status() = 0;
  /// The addresses that are reserved or leased for this attachment now. nullopt: that can't be
  /// known, as the IPAM keeps neither host-local's files nor a lease.
  [[nodiscard]] virtual std::optional<std::vector<IpAddress>> held() = 0;
  /// What IPAM that talks through the interface changed there since ADD. Addresses: held().
  [[nodiscard]] virtual RenewedLease renewed() = 0;
};

/// The plugin that a module gives its work to, as flannel does: an interface module in this
/// process, or a program found in CNI_PATH. It acts on the same attachment; its IPAM, its undo
/// records and its roll-back are core's care. Only modules of the trait "delegates" have one.
class Delegate {
 public:
  virtual ~Delegate();
  /// Takes the plugin's whole configuration (JSON, with "name" and "type") and validates it as if
  /// the runtime had sent it; call it before anything else, and before anything is changed. On DEL
  /// what is wrong there becomes a warning. Throws Error.
  virtual void configure(const std::string& config) = 0;
  /// Whether it is a module of ours, which needs less than a program to do its DEL.
  [[nodiscard]] virtual bool in_process() const = 0;
  virtual Result add() = 0;
  virtual void del() = 0;    ///< Error also if there is nothing that could do it
  virtual void check() = 0;  ///< with the call's prevResult
  virtual void gc() = 0;     ///< with the call's list of valid attachments
  virtual void status() = 0;
};

/// What core gives a module to work with during one verb. Handles are opened on first use and
/// shared by the steps of a chain. A module never keeps them beyond the call.
class Host : public HostKernel {
 public:
  ~Host() override;
  virtual UndoLog& undo() = 0;  ///< where changes are announced before they are made
  virtual Ipam& ipam() = 0;
  virtual Delegate& delegate();  ///< Error without the trait
  /// Where this host keeps what its attachments share.
  [[nodiscard]] virtual const Folders& folders() const = 0;
  /// Path of the universal executable, with which a daemon is started (unicni/daemon.h); "": the
  /// program around core has none.
  [[nodiscard]] virtual std::string executable() const;
  /// By whom this verb asks daemons (unicni/daemon.h). Error where a verb has none.
  virtual Daemons& daemons();
};

}  // namespace unicni
