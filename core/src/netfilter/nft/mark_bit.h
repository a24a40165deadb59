// "markMasqBit": elements lead to a chain for each bit of the packet mark.
#pragma once

#include <string>

namespace unicni::net {

/// The chain that sets bit 0 to 31 of the mark; elements of bit4, bit6 and bit4_<prefix> … go
/// there.
std::string nft_bit_chain(unsigned bit);

}  // namespace unicni::net
