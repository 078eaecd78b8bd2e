#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace left4me::operations {

/// A larger ruleset is not looked at.
inline constexpr std::size_t max_ruleset = std::size_t{4} << 20U;

/// A chain of nftables in which a packet ends, and who writes its rules.
struct Dropper {
    enum class Tool { Nft, Iptables, Ufw, Firewalld };
    Tool tool = Tool::Nft;
    std::string family;
    std::string table;
    std::string chain;  ///< of the rule or the policy that drops it
    std::string base;   ///< where its way began

    std::strong_ordering operator<=>(const Dropper&) const = default;
};

/// The ports which the first packet of a player cannot reach: UDP over IPv4, as the game speaks it, from a
/// public address that no rule names. `ruleset` is the output of `nft -j list ruleset`, libnftables-json(5).
/// A port is left out if some way through the rules ends in an accept, also one that depends on what cannot
/// be told from the ruleset. Pure.
std::map<Dropper, std::set<std::uint16_t>> dropped_ports(const std::string& ruleset,
                                                         const std::set<std::uint16_t>& ports);

/// "27015-27017, 27020"
std::string ports_text(const std::set<std::uint16_t>& ports);

/// The command with which root lets the ports through.
std::string command_to_accept(const Dropper& dropper, const std::set<std::uint16_t>& ports);

}  // namespace left4me::operations
