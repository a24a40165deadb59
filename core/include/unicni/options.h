// Options are data. A module declares one constant table; core parses the netconf by it into the
// module's struct, warns of unknown keys, and derives the JSON Schema and the README table from the
// same rows.
//
//   struct DemoOptions { std::string color; std::int64_t count; std::vector<Route> routes; };
//   constexpr Option kDemoRows[] = {
//       option<&DemoOptions::color>("color", "paint").with_default("blue").with_choices(kColors),
//       option<&DemoOptions::count>("count", "how many").with_range(0, 9),
//       option<&DemoOptions::routes>("routes", "routes to add"),
//   };
//   constexpr OptionTable kDemoOptions = option_table<DemoOptions>(kDemoRows);
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "unicni/call.h"
#include "unicni/ip.h"
#include "unicni/json_object.h"
#include "unicni/mac.h"
#include "unicni/result.h"

namespace unicni {

/// Where a value comes from.
enum class OptionSource : std::uint8_t {
  config,          ///< a key of the plugin's object (an IPAM module: of its "ipam" object)
  runtime_config,  ///< a key of "runtimeConfig", filled by a capability
  args_cni,        ///< a key of "args"."cni"
  cni_args,        ///< a key of the CNI_ARGS variable; always text
};

/// How a key's letter case counts. The reference (Go) ignores it everywhere in JSON and nowhere in
/// CNI_ARGS.
enum class KeyCase : std::uint8_t {
  any,    ///< exact spelling wins, another letter case is taken with a warning
  exact,  ///< another letter case is an unknown key
};

enum class ValueKind : std::uint8_t {
  boolean,
  integer,
  string,
  ip,
  cidr,
  mac,
  list,
  object,
  text_map,     ///< an object whose keys are free and whose values are strings
  free_object,  ///< an object whose keys and values are free
};

struct OptionTable;

/// An object of strings, in the order in which they are written.
using TextMap = std::vector<std::pair<std::string, std::string>>;

/// How core fills a C++ type: text_map TextMap, free_object JsonObject, boolean bool, integer
/// std::int64_t or std::uint32_t, string std::string, ip IpAddress, cidr IpNet, mac Mac, list
/// std::vector, object a struct with an OptionTable of its own. std::optional<T> fills T and tells
/// "absent" apart.
struct ValueType {
  ValueKind kind;
  const ValueType* element = nullptr;     ///< list: the type of its elements
  const OptionTable* fields = nullptr;    ///< object: its rows
  void* (*append)(void* list) = nullptr;  ///< list: adds one element and returns it
  void* (*engage)(void* optional) =
      nullptr;          ///< std::optional: makes it hold a value and returns that
  bool narrow = false;  ///< integer: std::uint32_t instead of std::int64_t
};

struct Option {
  const char* key;
  const char* doc;  ///< one line, for people
  const ValueType* type;
  void* (*field)(void* options);  ///< the member inside the module's struct
  OptionSource source = OptionSource::config;
  KeyCase key_case = KeyCase::any;
  const char* default_text = nullptr;  ///< as it stands in JSON but without quotes; nullptr: the
                                       ///< member stays as constructed
  std::int64_t min = std::numeric_limits<std::int64_t>::min();  ///< integers
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  const char* const* choices = nullptr;  ///< strings: the allowed ones, ended by nullptr
  unsigned verbs = 0;                    ///< bits of Command that use it; 0: all
  bool required = false;                 ///< absent is an error (ADD, CHECK, GC, STATUS)
  bool offered =
      true;  ///< false: parsed, but a value other than the default is refused with code 2

  // Builder steps; each returns a changed copy, so a row reads as one expression.
  constexpr Option with_default(const char* text) const {
    Option o = *this;
    o.default_text = text;
    return o;
  }
  constexpr Option with_range(std::int64_t low, std::int64_t high) const {
    Option o = *this;
    o.min = low;
    o.max = high;
    return o;
  }
  constexpr Option with_choices(const char* const* allowed) const {
    Option o = *this;
    o.choices = allowed;
    return o;
  }
  constexpr Option from(OptionSource where) const {
    Option o = *this;
    o.source = where;
    return o;
  }
  constexpr Option exact_case() const {
    Option o = *this;
    o.key_case = KeyCase::exact;
    return o;
  }
  constexpr Option used_by(unsigned command_bits) const {
    Option o = *this;
    o.verbs = command_bits;
    return o;
  }
  constexpr Option must_be_given() const {
    Option o = *this;
    o.required = true;
    return o;
  }
  constexpr Option not_offered_yet() const {
    Option o = *this;
    o.offered = false;
    return o;
  }
};

struct OptionTable {
  const Option* rows;
  std::size_t count;
  void* (*create)();  ///< a default-constructed struct
  void (*destroy)(void* options) noexcept;
};

/// Specialised for each struct that appears inside option structs: the address of a namespace-level
/// table.
template <class T>
struct OptionFields;
extern const OptionTable kRouteFields;  ///< rows of unicni::Route (CNI spec 1.1.0 "routes")
extern const OptionTable kDnsFields;    ///< rows of unicni::Dns
/// "dns" of an interface plugin. It replaces IPAM's if it has a domain or any list, even an empty
/// one: then there are none.
struct DnsOptions {
  std::optional<std::vector<std::string>> nameservers;
  std::string domain;
  std::optional<std::vector<std::string>> search;
  std::optional<std::vector<std::string>> options;
  /// nullopt: nothing was given.
  [[nodiscard]] std::optional<Dns> chosen() const;
};
extern const OptionTable kDnsOptionFields;
template <>
struct OptionFields<Route> {
  static constexpr const OptionTable* table() { return &kRouteFields; }
};
template <>
struct OptionFields<Dns> {
  static constexpr const OptionTable* table() { return &kDnsFields; }
};
template <>
struct OptionFields<DnsOptions> {
  static constexpr const OptionTable* table() { return &kDnsOptionFields; }
};

namespace detail {

template <class T>
struct TypeOf;

template <ValueKind K>
struct Scalar {
  static constexpr ValueType value{K};
};
template <>
struct TypeOf<bool> : Scalar<ValueKind::boolean> {};
template <>
struct TypeOf<std::int64_t> : Scalar<ValueKind::integer> {};
template <>
struct TypeOf<std::uint32_t> {
  static constexpr ValueType value{ValueKind::integer, nullptr, nullptr, nullptr, nullptr, true};
};
template <>
struct TypeOf<std::string> : Scalar<ValueKind::string> {};
template <>
struct TypeOf<IpAddress> : Scalar<ValueKind::ip> {};
template <>
struct TypeOf<IpNet> : Scalar<ValueKind::cidr> {};
template <>
struct TypeOf<Mac> : Scalar<ValueKind::mac> {};
template <>
struct TypeOf<TextMap> : Scalar<ValueKind::text_map> {};
template <>
struct TypeOf<JsonObject> : Scalar<ValueKind::free_object> {};

template <class T>
struct TypeOf<std::vector<T>> {
  static_assert(!std::is_same_v<T, bool>, "a list of booleans has no addressable elements");
  static void* append(void* list) { return &static_cast<std::vector<T>*>(list)->emplace_back(); }
  static constexpr ValueType value{ValueKind::list, &TypeOf<T>::value, nullptr, &append, nullptr};
};

template <class T>
struct TypeOf<std::optional<T>> {
  static void* engage(void* optional) {
    return &static_cast<std::optional<T>*>(optional)->emplace();
  }
  static constexpr ValueType value{TypeOf<T>::value.kind,
                                   TypeOf<T>::value.element,
                                   TypeOf<T>::value.fields,
                                   TypeOf<T>::value.append,
                                   &engage,
                                   TypeOf<T>::value.narrow};
};

template <class T>
struct TypeOf {
  static_assert(std::is_class_v<T>,
                "no option type for this C++ type; integers are std::int64_t or std::uint32_t");
  static constexpr ValueType value{ValueKind::object, nullptr, OptionFields<T>::table()};
};

template <class M>
struct MemberPointer;
template <class C, class T>
struct MemberPointer<T C::*> {
  using Class = C;
  using Type = T;
};

template <auto Member>
void* member_of(void* options) {
  return &(static_cast<typename MemberPointer<decltype(Member)>::Class*>(options)->*Member);
}

}  // namespace detail

/// One row: the member, its key, one line for people. The type follows from the member.
template <auto Member>
constexpr Option option(const char* key, const char* doc) {
  using M = detail::MemberPointer<decltype(Member)>;
  return Option{key, doc, &detail::TypeOf<typename M::Type>::value, &detail::member_of<Member>};
}

template <class T, std::size_t N>
constexpr OptionTable option_table(const Option (&rows)[N]) {
  return OptionTable{rows, N, [] { return static_cast<void*>(new T()); },
                     [](void* options) noexcept { delete static_cast<T*>(options); }};
}

}  // namespace unicni
