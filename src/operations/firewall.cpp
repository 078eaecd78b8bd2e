#include "operations/firewall.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "adapters/network.hpp"
#include "operations/json.hpp"
#include "specs/text.hpp"

namespace left4me::operations {

namespace {

/// The kernel follows 16 jumps, NFT_JUMP_STACK_SIZE.
constexpr unsigned max_jumps = 16;
/// Sets within sets. There are none yet.
constexpr unsigned max_nesting = 4;
/// Rules and elements of sets, for all ports together: a second's work.
constexpr std::size_t max_steps = 2'000'000;

enum class Truth { No, Maybe, Yes };

Truth operator!(Truth one) {
    if (one == Truth::Maybe) return one;
    return one == Truth::Yes ? Truth::No : Truth::Yes;
}

Truth truth(bool one) { return one ? Truth::Yes : Truth::No; }

/// null if there is none.
const Json& member(const Json& object, const char* key) {
    static const Json none;
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

bool has(const Json& object, const char* key) { return object.is_object() && object.contains(key); }

std::string_view text(const Json& value) {
    const auto* const found = value.get_ptr<const std::string*>();
    return found == nullptr ? std::string_view() : std::string_view(*found);
}

std::string_view text(const Json& object, const char* key) { return text(member(object, key)); }

std::int64_t number(const Json& value, std::int64_t otherwise) {
    return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// A list, or a text alone.
bool contains(const Json& list, std::string_view name) {
    if (!list.is_array()) return text(list) == name;
    return std::any_of(list.begin(), list.end(), [name](const Json& one) { return text(one) == name; });
}

Truth is_port(const Json& value, std::uint16_t port) {
    if (value.is_number_integer()) return truth(value.get<std::int64_t>() == port);
    const Json& range = member(value, "range");
    if (!range.is_array() || range.size() != 2 || !range[0].is_number_integer() ||
        !range[1].is_number_integer())
        return Truth::Maybe;
    return truth(range[0].get<std::int64_t>() <= port && port <= range[1].get<std::int64_t>());
}

Truth is_udp(const Json& value) {
    if (value.is_number_integer()) return truth(value.get<std::int64_t>() == IPPROTO_UDP);
    return value.is_string() ? truth(text(value) == "udp") : Truth::Maybe;
}

Truth is_ipv4(const Json& value) {
    return value.is_string() ? truth(is_one_of(text(value), {"ipv4", "ip"})) : Truth::Maybe;
}

/// Which interface players come through is not known, but not this one.
Truth is_interface(const Json& value) { return text(value) == "lo" ? Truth::No : Truth::Maybe; }

/// What docker or firewalld forward to another address is not for a game here.
Truth is_translated(const Json& value) {
    return is_one_of(text(value), {"dnat", "snat"}) ? Truth::No : Truth::Maybe;
}

Truth is_to_this_host(const Json& value) {
    if (is_one_of(text(value), {"local", "host"})) return Truth::Yes;
    return is_one_of(text(value), {"multicast", "broadcast"}) ? Truth::No : Truth::Maybe;
}

/// Where a player is, nobody knows; but hardly at an address or in a small network that a rule names, nor in
/// a private one.
Truth is_of_a_player(const Json& value) {
    constexpr std::int64_t all_bits = 32;
    constexpr std::int64_t bits_of_a_large_one = 8;  // 10.0.0.0/8
    constexpr std::int64_t bits_of_a_small_one = 24;
    const Json& prefix = member(value, "prefix");
    const std::string address(value.is_string() ? text(value) : text(prefix, "addr"));
    const std::int64_t bits = value.is_string() ? all_bits : number(member(prefix, "len"), 0);
    sockaddr_in first{};
    first.sin_family = AF_INET;
    if (::inet_pton(AF_INET, address.c_str(), &first.sin_addr) != 1 || bits < bits_of_a_large_one ||
        bits > all_bits)
        return Truth::Maybe;
    if (bits >= bits_of_a_small_one) return Truth::No;
    sockaddr_in last = first;
    last.sin_addr.s_addr |= htonl(static_cast<std::uint32_t>((std::uint64_t{1} << (all_bits - bits)) - 1));
    const bool is_private = !is_public(reinterpret_cast<const sockaddr&>(first)) &&
                            !is_public(reinterpret_cast<const sockaddr&>(last));
    return is_private ? Truth::No : Truth::Maybe;
}

using ChainName = std::tuple<std::string_view, std::string_view, std::string_view>;

struct Chain {
    bool is_there = false;
    std::string_view hook;
    std::string_view policy;
    std::int64_t priority = 0;
    std::vector<const Json*> rules;
};

/// Everything that can become of a packet; several of it, where that cannot be told.
struct Ways {
    bool is_accepted = false;
    bool goes_on = false;  ///< with the next rule
    bool leaves = false;   ///< the chain, for the rule after the jump, or the policy
    /// Where the last of the ways ends that are dropped.
    std::optional<ChainName> dropped_in = {};

    void add(const Ways& other) {
        is_accepted |= other.is_accepted;
        goes_on |= other.goes_on;
        leaves |= other.leaves;
        if (other.dropped_in) dropped_in = other.dropped_in;
    }
};

class Ruleset {
  public:
    explicit Ruleset(const Json& listing) {
        for (const Json& one : member(listing, "nftables")) {
            const Json& chain = member(one, "chain");
            const Json& rule = member(one, "rule");
            const Json& table = member(one, "table");
            if (contains(member(table, "flags"), "dormant"))
                dormant_.insert({text(table, "family"), text(table, "name")});
            if (chain.is_object()) add(chain);
            if (rule.is_object()) chains_[named(rule, "chain")].rules.push_back(&member(rule, "expr"));
            for (const Json& statement : member(rule, "expr")) {
                if (has(statement, "notrack") ||
                    is_one_of(text(member(statement, "xt"), "name"), {"CT", "NOTRACK"}))
                    tracks_everything_ = false;
            }
            for (const char* kind : {"set", "map"}) {
                const Json& set = member(one, kind);
                if (set.is_object()) sets_[named(set, "name")] = &set;
            }
        }
    }

    /// The chains in which the kernel begins with a packet for this host, in its order.
    std::multimap<std::int64_t, ChainName> beginnings() const {
        std::multimap<std::int64_t, ChainName> found;
        for (const auto& [name, chain] : chains_) {
            const auto& [family, table, own] = name;
            if (chain.hook == "input" && is_one_of(family, {"inet", "ip"}) &&
                !dormant_.contains({family, table}))
                found.emplace(chain.priority, name);
        }
        return found;
    }

    const Chain* chain(const ChainName& name) const {
        const auto found = chains_.find(name);
        return found == chains_.end() || !found->second.is_there ? nullptr : &found->second;
    }

    /// nullptr: its elements cannot be told.
    const Json* elements(const ChainName& in, std::string_view set) const {
        const auto found = sets_.find({std::get<0>(in), std::get<1>(in), set});
        if (found == sets_.end()) return nullptr;
        const Json& flags = member(*found->second, "flags");
        const Json& elements = member(*found->second, "elem");
        return contains(flags, "dynamic") || contains(flags, "timeout") ? nullptr : &elements;
    }

    /// Whether the first packet of a connection is `new` everywhere.
    bool tracks_everything() const { return tracks_everything_; }

    Dropper dropper(const ChainName& base, const ChainName& where) const {
        using Tool = Dropper::Tool;
        const auto& [family, table, chain] = where;
        Tool tool = Tool::Nft;
        if (table == "firewalld")
            tool = Tool::Firewalld;
        else if (this->chain({family, table, "ufw-user-input"}) != nullptr)
            tool = Tool::Ufw;
        else if (family == "ip" && table == "filter" && std::get<2>(base) == "INPUT")
            tool = Tool::Iptables;
        return {tool, std::string(family), std::string(table), std::string(chain),
                std::string(std::get<2>(base))};
    }

  private:
    static ChainName named(const Json& object, const char* key) {
        return {text(object, "family"), text(object, "table"), text(object, key)};
    }

    void add(const Json& object) {
        Chain& chain = chains_[named(object, "name")];
        chain.is_there = true;
        chain.hook = text(object, "hook");
        chain.policy = text(object, "policy");
        chain.priority = number(member(object, "prio"), 0);
    }

    std::map<ChainName, Chain> chains_;
    std::map<ChainName, const Json*> sets_;
    std::set<std::pair<std::string_view, std::string_view>> dormant_;
    bool tracks_everything_ = true;
};

class Packet {
  public:
    Packet(const Ruleset& rules, std::uint16_t port, std::size_t& steps)
        : rules_(rules), port_(port), steps_(steps) {}

    /// nullopt: it may pass.
    std::optional<ChainName> dropped_in(const ChainName& base) {
        Ways ways = through(base, 0);
        if (ways.leaves) {
            const Chain* const chain = rules_.chain(base);
            if (chain == nullptr || chain->policy != "drop") return std::nullopt;
            ways.dropped_in = base;
        }
        return ways.is_accepted ? std::nullopt : ways.dropped_in;
    }

  private:
    static Ways accepted() { return {.is_accepted = true}; }
    static Ways dropped(const ChainName& in) { return {.dropped_in = in}; }
    static Ways on() { return {.goes_on = true}; }
    static Ways anything() { return {.is_accepted = true, .goes_on = true, .leaves = true}; }

    bool is_tired() { return steps_ == 0 || --steps_ == 0; }

    Ways through(const ChainName& name, unsigned jumps) {
        const Chain* const chain = rules_.chain(name);
        if (chain == nullptr || jumps > max_jumps) return anything();
        if (const auto known = known_.find(name); known != known_.end()) return known->second;
        Ways all;
        bool arrives = true;
        for (const Json* rule : chain->rules) {
            const Ways ways = of_rule(*rule, name, jumps);
            all.add(ways);
            arrives = ways.goes_on;
            if (!arrives) break;
        }
        all.leaves |= arrives;
        all.goes_on = false;
        known_[name] = all;
        return all;
    }

    Ways of_rule(const Json& statements, const ChainName& in, unsigned jumps) {
        if (is_tired()) return anything();
        if (rules_.tracks_everything() && is_for_known_connections(statements)) return on();
        bool is_certain = true;
        for (const Json& one : statements) {
            if (!one.is_object() || one.size() != 1) return anything();
            const std::string& kind = one.begin().key();
            const Json& value = one.begin().value();
            if (const auto ways = verdict(kind, value, in, jumps)) {
                Ways all = *ways;
                all.goes_on |= !is_certain;
                return all;
            }
            const Truth holds = condition(kind, value, in);
            if (holds == Truth::No) return on();
            if (holds == Truth::Maybe) is_certain = false;
        }
        return on();
    }

    /// iptables' match for connections, alone before an accept: what it compares, nft does not say, but
    /// nobody accepts every new packet that way.
    static bool is_for_known_connections(const Json& statements) {
        bool matches = false;
        bool accepts = false;
        for (const Json& one : statements) {
            const std::string_view name = text(member(one, "xt"), "name");
            if (is_one_of(name, {"conntrack", "state"}))
                matches = true;
            else if (has(one, "accept"))
                accepts = true;
            else if (name != "comment" && !has(one, "counter"))
                return false;
        }
        return matches && accepts;
    }

    /// nullopt: the statement has none, and the next one follows.
    std::optional<Ways> verdict(std::string_view kind, const Json& value, const ChainName& in,
                                unsigned jumps) {
        if (kind == "accept") return accepted();
        if (is_one_of(kind, {"drop", "reject"})) return dropped(in);
        if (kind == "return") return Ways{.leaves = true};
        if (kind == "continue") return on();
        if (is_one_of(kind, {"jump", "goto"})) return elsewhere(kind, text(value, "target"), in, jumps);
        if (kind == "vmap") return by_map(value, in, jumps);
        if (kind == "xt" && text(value, "type") != "match") return by_target(text(value, "name"), in);
        if (is_one_of(kind, {"queue", "tproxy", "synproxy", "dnat", "redirect"})) return anything();
        return std::nullopt;
    }

    Ways elsewhere(std::string_view kind, std::string_view target, const ChainName& in, unsigned jumps) {
        Ways ways = through({std::get<0>(in), std::get<1>(in), target}, jumps + 1);
        // Who leaves a chain that was reached by goto leaves this one as well.
        if (kind == "jump") ways.goes_on = std::exchange(ways.leaves, false);
        return ways;
    }

    static Ways by_target(std::string_view name, const ChainName& in) {
        if (name == "REJECT") return dropped(in);
        if (is_one_of(name, {"LOG", "NFLOG", "MARK", "CONNMARK", "CLASSIFY", "SET", "AUDIT", "TRACE"}))
            return on();
        return anything();
    }

    Ways by_map(const Json& map, const ChainName& in, unsigned jumps) {
        const Json& data = member(map, "data");
        const std::string_view name = text(data);
        const Json* const elements =
            name.starts_with('@') ? rules_.elements(in, name.substr(1)) : &member(data, "set");
        if (elements == nullptr || !(elements->is_array() || elements->is_null())) return anything();
        Ways all;
        for (const Json& one : *elements) {
            if (is_tired() || !one.is_array() || one.size() != 2 || !one[1].is_object() || one[1].size() != 1)
                return anything();
            const Truth holds = compare(member(map, "key"), value_of(one[0]), in);
            if (holds == Truth::No) continue;
            const auto ways = verdict(one[1].begin().key(), one[1].begin().value(), in, jumps + 1);
            if (!ways) return anything();
            all.add(*ways);
            if (holds == Truth::Yes) return all;
        }
        all.add(on());
        return all;
    }

    Truth condition(std::string_view kind, const Json& value, const ChainName& in) {
        if (is_one_of(kind, {"counter", "log", "comment", "mangle", "notrack", "last"})) return Truth::Yes;
        // One packet stays below any rate.
        if (kind == "limit" && value.is_object()) return truth(member(value, "inv") != Json(true));
        if (kind == "xt") return text(value, "name") == "comment" ? Truth::Yes : Truth::Maybe;
        if (kind != "match") return Truth::Maybe;
        const std::string_view compares = text(value, "op");
        if (is_of_another_protocol(member(value, "left"))) return Truth::No;
        const Truth holds = compare(member(value, "left"), member(value, "right"), in);
        if (is_one_of(compares, {"==", "in"})) return holds;
        return is_one_of(compares, {"!=", "!"}) ? !holds : Truth::Maybe;
    }

    Truth is_state(const Json& value) const {
        if (is_one_of(text(value), {"established", "related", "invalid"})) return Truth::No;
        return text(value) == "new" && rules_.tracks_everything() ? Truth::Yes : Truth::Maybe;
    }

    /// nft leaves out that such a rule is for packets of this protocol only.
    static bool is_of_another_protocol(const Json& what) {
        const Json& masked = member(what, "&");
        const Json& left = masked.is_array() && !masked.empty() ? masked[0] : what;
        return is_one_of(text(member(left, "payload"), "protocol"),
                         {"tcp", "icmp", "icmpv6", "igmp", "sctp", "dccp", "udplite", "esp", "ah", "comp",
                          "ip6"}) ||
               member(left, "tcp option").is_object() || member(left, "exthdr").is_object();
    }

    Truth compare(const Json& what, const Json& with, const ChainName& in) {
        const Json& payload = member(what, "payload");
        const std::string_view protocol = text(payload, "protocol");
        const std::string_view field = text(payload, "field");
        const std::string_view meta = text(member(what, "meta"), "key");
        const std::string_view ct = text(member(what, "ct"), "key");
        const Json& fib = member(what, "fib");
        if (is_one_of(protocol, {"udp", "th"}) && field == "dport")
            return any(with, in, [this](const Json& one) { return is_port(one, port_); });
        if (protocol == "ip" && field == "saddr") return any(with, in, is_of_a_player);
        if ((protocol == "ip" && field == "protocol") || meta == "l4proto") return any(with, in, is_udp);
        if (is_one_of(meta, {"nfproto", "protocol"})) return any(with, in, is_ipv4);
        if (is_one_of(meta, {"iif", "iifname"})) return any(with, in, is_interface);
        if (meta == "pkttype" || (text(fib, "result") == "type" && contains(member(fib, "flags"), "daddr")))
            return any(with, in, is_to_this_host);
        if (ct == "state") return any(with, in, [this](const Json& one) { return is_state(one); });
        if (ct == "status") return any(with, in, is_translated);
        return Truth::Maybe;
    }

    /// Elements may have a comment, a counter or a time until when they stay.
    static const Json& value_of(const Json& element) {
        const Json& inner = member(element, "elem");
        return inner.is_object() ? member(inner, "val") : element;
    }

    template <typename Test>
    Truth any(const Json& with, const ChainName& in, const Test& test, unsigned nesting = 0) {
        if (is_tired() || nesting > max_nesting) return Truth::Maybe;
        const Json* list = with.is_array() ? &with : &member(with, "set");
        if (const std::string_view name = text(with); name.starts_with('@')) {
            list = rules_.elements(in, name.substr(1));
            if (list == nullptr) return Truth::Maybe;
            if (list->is_null()) return Truth::No;
        }
        if (list->is_null()) return test(value_of(with));
        if (!list->is_array()) return any(*list, in, test, nesting + 1);
        Truth most = Truth::No;
        for (const Json& one : *list) {
            most = std::max(most, any(one, in, test, nesting + 1));
            if (most == Truth::Yes) break;
        }
        return most;
    }

    const Ruleset& rules_;
    std::uint16_t port_;
    std::size_t& steps_;
    std::map<ChainName, Ways> known_;
};

/// Each first and last port of a row.
std::vector<std::pair<std::uint16_t, std::uint16_t>> ranges(const std::set<std::uint16_t>& ports) {
    std::vector<std::pair<std::uint16_t, std::uint16_t>> found;
    for (const std::uint16_t port : ports) {
        if (!found.empty() && found.back().second + 1 == port)
            found.back().second = port;
        else
            found.emplace_back(port, port);
    }
    return found;
}

/// The ranges, each in `before` and `after`.
std::string joined(const std::set<std::uint16_t>& ports, char dash, std::string_view before,
                   std::string_view after, std::string_view between) {
    std::vector<std::string> words;
    for (const auto& [first, last] : ranges(ports)) {
        const std::string range =
            first == last ? fmt::format("{}", first) : fmt::format("{}{}{}", first, dash, last);
        words.push_back(fmt::format("{}{}{}", before, range, after));
    }
    return fmt::format("{}", fmt::join(words, between));
}

}  // namespace

std::map<Dropper, std::set<std::uint16_t>> dropped_ports(const std::string& ruleset,
                                                         const std::set<std::uint16_t>& ports) {
    std::map<Dropper, std::set<std::uint16_t>> found;
    if (ruleset.size() > max_ruleset) return found;
    const Json listing = Json::parse(ruleset, nullptr, false);
    const Ruleset rules(listing);
    const auto beginnings = rules.beginnings();
    std::size_t steps = max_steps;
    for (const std::uint16_t port : ports) {
        Packet packet(rules, port, steps);
        // An accept in one of them does not help against a drop in the next.
        for (const auto& [priority, base] : beginnings) {
            const auto where = packet.dropped_in(base);
            if (!where) continue;
            found[rules.dropper(base, *where)].insert(port);
            break;
        }
    }
    return found;
}

std::string ports_text(const std::set<std::uint16_t>& ports) { return joined(ports, '-', "", "", ", "); }

std::string command_to_accept(const Dropper& dropper, const std::set<std::uint16_t>& ports) {
    switch (dropper.tool) {
        case Dropper::Tool::Firewalld:
            return fmt::format("firewall-cmd --permanent {} && firewall-cmd --reload",
                               joined(ports, '-', "--add-port=", "/udp", " "));
        case Dropper::Tool::Ufw:
            return joined(ports, ':', "ufw allow ", "/udp", " && ");
        case Dropper::Tool::Iptables:
            return joined(ports, ':', "iptables -I INPUT -p udp --dport ", " -j ACCEPT", " && ");
        case Dropper::Tool::Nft:
            break;
    }
    return printable_line(fmt::format("nft insert rule {} {} {} udp dport {{ {} }} accept", dropper.family,
                                      dropper.table, dropper.base, ports_text(ports)));
}

}  // namespace left4me::operations
