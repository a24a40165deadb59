#include "environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "unicni/error.h"

namespace unicni::cnitool::environment_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class Environment : public ::testing::Test {
 protected:
  Environment() {
    for (const char* name : {"CNI_PATH", "NETCONFPATH", "CNI_ARGS", "CAP_ARGS", "CNI_IFNAME"}) {
      ::unsetenv(name);
    }
    EXPECT_EQ(::chdir("/usr/bin"), 0);
  }
  static void set(const char* name, const char* value) { ::setenv(name, value, 1); }
};

TEST_F(Environment, PathsBecomeAbsoluteAsInTheReference) {
  EXPECT_EQ(absolute("ns1"), "/usr/bin/ns1");
  EXPECT_EQ(absolute("/run//netns/./x/../blue/"), "/run/netns/blue");
  EXPECT_EQ(absolute("../lib/"), "/usr/lib");
  EXPECT_EQ(absolute(""), "/usr/bin");
  EXPECT_EQ(absolute("/"), "/");
  EXPECT_EQ(absolute("/.."), "/");
}

TEST_F(Environment, TheContainerIdIsMadeOfTheNamespacesPath) {
  EXPECT_EQ(container_id_of("/var/run/netns/blue"), "cnitool-296747069b8a02dc4e2a");
  EXPECT_EQ(container_id_of("/var//run/netns/blue/"), "cnitool-296747069b8a02dc4e2a");
  EXPECT_EQ(container_id_of("ns1"), container_id_of("/usr/bin/ns1"));
}

TEST_F(Environment, SaysWhereNetworksAndPluginsAre) {
  EXPECT_EQ(network_folder(), "/etc/cni/net.d");
  EXPECT_THAT(plugin_folders(), IsEmpty());
  set("NETCONFPATH", "net.d/");
  set("CNI_PATH", "/opt/cni/bin:plugins::/x/");
  EXPECT_EQ(network_folder(), "/usr/bin/net.d");
  EXPECT_THAT(plugin_folders(), ElementsAre("/opt/cni/bin", "/usr/bin/plugins", "/x"));
}

TEST_F(Environment, HasArgumentsInTheirOrder) {
  EXPECT_THAT(args(), IsEmpty());
  set("CNI_ARGS", "IP=10.0.0.1;A=b");
  EXPECT_THAT(args(), ElementsAre(Pair("IP", "10.0.0.1"), Pair("A", "b")));
}

TEST_F(Environment, RefusesArgumentsWithoutBothSides) {
  for (const char* text : {"A", "A=", "=b", "A=b=c", "A=b;", ";A=b", "A=b;;C=d", "=", ";"}) {
    set("CNI_ARGS", text);
    try {
      args();
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_environment));
      EXPECT_THAT(error.msg(), HasSubstr("invalid CNI_ARGS pair \""));
    }
  }
}

TEST_F(Environment, TakesCapabilitiesAsAnObject) {
  EXPECT_EQ(capability_args(), "");
  set("CAP_ARGS", R"({"ips": ["10.0.0.1"]})");
  EXPECT_EQ(capability_args(), R"({"ips": ["10.0.0.1"]})");
  for (const char* text : {"[]", "x", "{", "{}{}"}) {
    set("CAP_ARGS", text);
    EXPECT_THROW(capability_args(), Error) << text;
  }
}

TEST_F(Environment, TheOptionGoesBeforeTheVariableForTheInterface) {
  EXPECT_EQ(if_name(""), "eth0");
  set("CNI_IFNAME", "");
  EXPECT_EQ(if_name(""), "eth0");
  set("CNI_IFNAME", "net1");
  EXPECT_EQ(if_name(""), "net1");
  EXPECT_EQ(if_name("net2"), "net2");
}

}  // namespace
}  // namespace unicni::cnitool::environment_test
