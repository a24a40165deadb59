// Backend firewalld: the attachment's addresses are sources of a zone.
#pragma once

#include "unicni/call.h"
#include "unicni/host.h"

namespace unicni::firewall {

/// ADD: puts the addresses into the zone, announced to Host::undo() first. If firewalld was
/// reloaded, which forgets sources, those of all attachments come back. Throws Error.
void add_sources(const Call& call, Host& host, const Result& result);
/// CHECK: they are there. Throws Error.
void check_sources(const Call& call, Host& host, const Result& result);
/// STATUS: firewalld runs and has the zone; what a reload forgot comes back. Throws Error
/// (Code::not_available).
void require_firewalld(const Call& call, Host& host);
/// GC: what a reload forgot comes back; nothing if firewalld doesn't run. Throws Error.
void restore_sources(const Call& call, Host& host);
/// DEL: takes out what the reference left for addresses of prevResult, or what a lost journal knew,
/// whatever the backend is today. Not those that have passed to another attachment. Throws Error.
void sweep_sources(const Call& call, Host& host);

}  // namespace unicni::firewall
