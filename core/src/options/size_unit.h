// Units behind a number, as people write sizes and rates: 100M, 5Mi.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace unicni::options {

struct SizeUnit {
  std::string_view suffix;
  std::int64_t factor;
};

/// Thousands (k and K alike), and 1024s.
inline constexpr std::array<SizeUnit, 9> kSizeUnits = {{{"k", 1000},
                                                        {"K", 1000},
                                                        {"M", 1000'000},
                                                        {"G", 1000'000'000},
                                                        {"T", 1000'000'000'000},
                                                        {"Ki", 1LL << 10U},
                                                        {"Mi", 1LL << 20U},
                                                        {"Gi", 1LL << 30U},
                                                        {"Ti", 1LL << 40U}}};

}  // namespace unicni::options
