// Scenarios that leave something out, to see what a failure needs or to get past one that is known.
#pragma once

#include <string>

#include "world/scenario.h"

namespace unicni::test::world {

/// Names, separated by commas; an unknown one is refused, with all that there are. Additions
/// (additions.h) are names as well, for who makes the scenario.
///   twins       lists hold no type twice
///   edits       nobody edits a list
///   overlaps    port lists hold no two mappings of one host port, nor two to one target
///   shares      a container publishes ports on its first network only
///   vanish      every namespace lives until the end
///   nesting     subnets don't hold one another, nor what is outside, and stay the same
///   foreign     no main plugins of other makers
///   reference   nothing is done by the reference's plugins
///   kill, flush, gc, netns (wrong paths), old (versions before 0.3.0)
///   state       what belongs to a network may stay when its last attachment has gone
///   unservable  no host address of a family that the container lacks
Scenario without(Scenario scenario, const std::string& names);

}  // namespace unicni::test::world
