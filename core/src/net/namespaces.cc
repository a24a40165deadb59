#include "unicni/net/namespaces.h"

namespace unicni::net {

Namespaces::~Namespaces() = default;

std::string Namespaces::find_container_identity() {
  return container_netns() == nullptr ? std::string() : container_links().identity();
}

}  // namespace unicni::net
