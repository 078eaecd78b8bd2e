#include "operations/firewall.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace left4me::operations;

namespace {

using Ports = std::set<std::uint16_t>;

/// What nft 1.0.6 printed for rules of ufw (after `allow 22/tcp`, `allow 27015/udp`, `allow 27020:27022/udp`,
/// `allow from 192.0.2.7`), for rules like those of firewalld, and for an /etc/nftables.conf.
std::string recorded(const std::string& name) {
    std::ifstream file(std::string(LEFT4ME_TEST_CASES "/firewall/") + name + ".json");
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// A rule, as in the output of nft.
std::string rule(const std::string& chain, const std::string& statements) {
    return fmt::format(
        R"(, {{"rule": {{"family": "inet", "table": "filter", "chain": "{}", "expr": [{}]}}}})", chain,
        statements);
}

std::string base(const std::string& name, const std::string& policy, const std::string& priority = "0",
                 const std::string& family = "inet", const std::string& hook = "input") {
    return fmt::format(R"(, {{"chain": {{"family": "{}", "table": "filter", "name": "{}", "type": "filter", )"
                       R"("hook": "{}", "prio": {}, "policy": "{}"}}}})",
                       family, name, hook, priority, policy);
}

std::string chain(const std::string& name) {
    return fmt::format(R"(, {{"chain": {{"family": "inet", "table": "filter", "name": "{}"}}}})", name);
}

std::string ruleset(const std::string& objects) {
    return R"({"nftables": [{"metainfo": {"json_schema_version": 1}})" + objects + "]}";
}

Ports all(const std::map<Dropper, Ports>& found) {
    Ports ports;
    for (const auto& [dropper, some] : found) ports.insert(some.begin(), some.end());
    return ports;
}

/// Whether a chain with this policy drops packets to port 27015, with these statements in its only rule.
bool drops(const std::string& statements, const std::string& policy) {
    return !dropped_ports(ruleset(base("input", policy) + rule("input", statements)), {27015}).empty();
}

std::string match(const std::string& left, const std::string& right, const std::string& op = "==") {
    return fmt::format(R"({{"match": {{"op": "{}", "left": {}, "right": {}}}}}, )", op, left, right);
}

constexpr const char* accept = R"({"accept": null})";
constexpr const char* drop = R"({"drop": null})";
constexpr const char* udp_port = R"({"payload": {"protocol": "udp", "field": "dport"}})";
constexpr const char* source = R"({"payload": {"protocol": "ip", "field": "saddr"}})";
constexpr const char* state = R"({"ct": {"key": "state"}})";

}  // namespace

TEST_CASE("the ports that a firewall does not let through are found, with the command that does") {
    struct Case {
        const char* name;
        Ports dropped;
        const char* chain;
        const char* command;
    };
    const Ports asked{27015, 27016, 27020, 27022, 27030};
    for (const Case& one :
         {Case{"nftables",
               {27016, 27030},
               "log_and_reject",
               "nft insert rule inet filter input udp dport { 27016, 27030 } accept"},
          // Which ports a multiport rule of iptables is for, nft does not say.
          Case{"ufw", {}, "", ""},
          Case{"firewalld",
               {27016, 27020, 27022, 27030},
               "filter_IN_public",
               "firewall-cmd --permanent --add-port=27016/udp --add-port=27020/udp --add-port=27022/udp "
               "--add-port=27030/udp && firewall-cmd --reload"}}) {
        INFO(one.name);
        const auto found = dropped_ports(recorded(one.name), asked);
        CHECK(all(found) == one.dropped);
        for (const auto& [dropper, ports] : found) {
            CHECK(dropper.chain == one.chain);
            CHECK(command_to_accept(dropper, ports) == one.command);
        }
    }
}

TEST_CASE("ufw is found to drop what it has no rule for") {
    std::string text = recorded("ufw");
    // Without `allow 27020:27022/udp`.
    for (std::size_t at = text.find("multiport"); at != std::string::npos; at = text.find("multiport")) {
        const std::size_t begin = text.rfind('\n', at);
        text.erase(begin, text.find('\n', at) - begin);
    }
    const auto found = dropped_ports(text, {27015, 27016, 27017});
    REQUIRE(found.size() == 1);
    CHECK(found.begin()->second == Ports{27016, 27017});
    CHECK(found.begin()->first.chain == "INPUT");
    CHECK(command_to_accept(found.begin()->first, found.begin()->second) == "ufw allow 27016:27017/udp");
}

TEST_CASE("a packet of a player is accepted or dropped as the kernel does it") {
    CHECK(drops("", "drop"));
    CHECK_FALSE(drops("", "accept"));
    CHECK(drops(drop, "accept"));
    CHECK(
        drops(R"({"log": null}, {"counter": {"packets": 0, "bytes": 0}}, {"reject": {"type": "tcp reset"}})",
              "accept"));
    for (const auto& [statement, holds] : std::vector<std::pair<std::string, bool>>{
             {match(udp_port, "27015"), true},
             {match(udp_port, "27016"), false},
             {match(udp_port, "27016", "!="), true},
             {match(udp_port, R"({"range": [27000, 27030]})"), true},
             {match(udp_port, R"({"set": [53, {"range": [27000, 27014]}]})"), false},
             {match(udp_port, R"({"set": [53, {"elem": {"val": 27015, "comment": "x"}}]})"), true},
             {match(R"({"payload": {"protocol": "th", "field": "dport"}})", "27015"), true},
             {match(R"({"payload": {"protocol": "tcp", "field": "dport"}})", "27015"), false},
             {match(R"({"payload": {"protocol": "tcp", "field": "dport"}})", "22", "!="), false},
             {match(R"({"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["syn"]]})", R"("syn")",
                    "!="),
              false},
             {match(R"({"payload": {"protocol": "ip6", "field": "saddr"}})", R"("::1")", "!="), false},
             {match(R"({"meta": {"key": "iifname"}})", R"("lo")"), false},
             {match(R"({"meta": {"key": "iif"}})", R"("lo")", "!="), true},
             {match(R"({"meta": {"key": "l4proto"}})", R"("udp")"), true},
             {match(R"({"meta": {"key": "l4proto"}})", R"({"set": ["icmp", "ipv6-icmp"]})"), false},
             {match(R"({"payload": {"protocol": "ip", "field": "protocol"}})", "17"), true},
             {match(R"({"meta": {"key": "nfproto"}})", R"("ipv6")"), false},
             {match(state, R"(["established", "related"])", "in"), false},
             {match(state, R"(["established", "related"])", "!"), true},
             {match(state, R"("new")", "in"), true},
             {match(source, R"("192.0.2.7")"), false},
             {match(source, R"({"prefix": {"addr": "10.0.0.0", "len": 8}})"), false},
             {match(source, R"({"prefix": {"addr": "10.0.0.0", "len": 8}})", "!="), true},
             {match(R"({"fib": {"result": "type", "flags": ["daddr"]}})", R"("local")"), true},
             {R"({"limit": {"rate": 5, "burst": 5, "per": "second"}}, )", true},
             {R"({"limit": {"rate": 5, "burst": 5, "per": "second", "inv": true}}, )", false},
             {R"({"xt": {"type": "match", "name": "comment"}}, )", true},
         }) {
        INFO(statement);
        CHECK(drops(statement + accept, "drop") != holds);
        CHECK(drops(statement + drop, "accept") == holds);
    }
}

TEST_CASE("what the ruleset does not tell is never called dropped") {
    for (
        const std::string& statement : {
            match(source, R"("@blocked")"),
            match(source, R"({"prefix": {"addr": "0.0.0.0", "len": 0}})"),
            match(source, R"({"prefix": {"addr": "0.0.0.0", "len": 1}})"),
            match(source, R"({"prefix": {"addr": "5.0.0.0", "len": 8}})"),
            match(R"({"meta": {"key": "iifname"}})", R"("eth0")"),
            match(R"({"meta": {"key": "mark"}})", "5"),
            match(
                R"({"concat": [{"meta": {"key": "l4proto"}}, {"payload": {"protocol": "th", "field": "dport"}}]})",
                R"({"set": [{"concat": ["udp", 27015]}]})"),
            match(udp_port, R"("@unknown")"),
            match(udp_port, "27015", "<="),
            std::string(R"({"xt": {"type": "match", "name": "multiport"}}, )"),
            std::string(R"({"xt": null}, )"),
            std::string(R"({"of a later nft": {}}, )"),
            std::string(R"({"limit": "named"}, )"),
        }) {
        INFO(statement);
        CHECK_FALSE(drops(statement + accept, "drop"));
        CHECK_FALSE(drops(statement + drop, "accept"));
    }
    CHECK_FALSE(drops(R"({"queue": {"num": 0}})", "drop"));
    CHECK_FALSE(drops(R"({"xt": {"type": "target", "name": "NFQUEUE"}})", "drop"));
    CHECK_FALSE(drops(R"({"jump": {"target": "missing"}})", "drop"));
    CHECK(drops(R"({"xt": {"type": "target", "name": "LOG"}})", "drop"));
}

TEST_CASE("jumps, returns and verdict maps lead through a firewall as in the kernel") {
    const std::string chains = base("input", "drop") + chain("a") + chain("b");
    const auto dropped_with = [&](const std::string& rules) {
        return all(dropped_ports(ruleset(chains + rules), {27015, 27016}));
    };
    const std::string to_a = R"({"jump": {"target": "a"}})";
    const std::string go_to_a = R"({"goto": {"target": "a"}})";
    const std::string back = R"({"return": null})";
    const std::string game = match(udp_port, "27015");
    CHECK(dropped_with(rule("input", to_a) + rule("a", game + accept)) == Ports{27016});
    CHECK(dropped_with(rule("input", to_a) + rule("a", game + back) + rule("a", drop) +
                       rule("input", accept)) == Ports{27016});
    // After a goto nothing comes but the policy.
    CHECK(dropped_with(rule("input", go_to_a) + rule("a", back) + rule("input", accept)) ==
          Ports{27015, 27016});
    CHECK(dropped_with(rule("input", to_a) + rule("a", R"({"goto": {"target": "b"}})") + rule("b", back) +
                       rule("a", drop) + rule("input", accept))
              .empty());
    const std::string map =
        R"({"vmap": {"key": )" + std::string(udp_port) +
        R"(, "data": {"set": [[27015, {"accept": null}], [{"range": [27016, 27020]}, {"jump": {"target": "a"}}]]}}})";
    CHECK(dropped_with(rule("input", map) + rule("a", drop) + rule("input", accept)) == Ports{27016});
    CHECK(dropped_with(rule("input", map) + rule("input", accept)).empty());
    // The kernel refuses loops.
    CHECK(dropped_with(rule("input", to_a) + rule("a", to_a)).empty());
}

TEST_CASE("an accept in one base chain does not help against a drop in another") {
    const auto dropped_with = [](const std::string& chains) {
        return dropped_ports(ruleset(chains), {27015});
    };
    const auto found =
        dropped_with(base("late", "drop", "10") + base("early", "accept", "-10") + base("second", "drop"));
    REQUIRE(found.size() == 1);
    CHECK(found.begin()->first.chain == "second");
    CHECK(dropped_with(base("input", "drop", "0", "ip6")).empty());
    CHECK(dropped_with(base("input", "drop", "0", "inet", "forward")).empty());
    CHECK(dropped_with(R"(, {"table": {"family": "inet", "name": "filter", "flags": "dormant"}})" +
                       base("input", "drop"))
              .empty());
}

TEST_CASE("named sets are looked up, unless they change by themselves") {
    const auto dropped_with = [](const std::string& more) {
        const std::string set =
            R"(, {"set": {"family": "inet", "name": "games", "table": "filter", "type": "inet_service")" +
            more + "}}";
        return !dropped_ports(ruleset(base("input", "drop") + set +
                                      rule("input", match(udp_port, R"("@games")") + accept)),
                              {27015})
                    .empty();
    };
    CHECK_FALSE(dropped_with(R"(, "elem": [53, {"range": [27015, 27020]}])"));
    CHECK(dropped_with(R"(, "elem": [53])"));
    CHECK(dropped_with(""));
    CHECK_FALSE(dropped_with(R"(, "elem": [53], "flags": ["timeout"])"));
}

TEST_CASE("packets that are not tracked are not new") {
    const std::string known = R"({"xt": {"type": "match", "name": "conntrack"}}, )";
    CHECK(drops(known + accept, "drop"));
    CHECK_FALSE(drops(known + match(udp_port, "27015") + accept, "drop"));
    const std::string raw = base("raw", "accept", "-300", "inet", "prerouting") +
                            rule("raw", match(udp_port, "27015") + R"({"notrack": null})");
    CHECK(
        dropped_ports(ruleset(raw + base("input", "drop") + rule("input", known + accept)), {27015}).empty());
}

TEST_CASE("a ruleset that is none, or too large, says nothing") {
    for (const std::string& text : {std::string(), std::string("[]"), std::string(R"({"nftables": 5})"),
                                    std::string(R"({"nftables": [5, {"chain": 5}, {"rule": []}]})"),
                                    std::string(R"({"nftables": [{"chain": {"hook": 5, "family": []}}]})"),
                                    std::string("{\"nftables\": ["), std::string(max_ruleset + 1, ' ')})
        CHECK(dropped_ports(text, {27015}).empty());
    // Chains that each jump twice into the next.
    std::string many = base("input", "drop");
    for (int depth = 0; depth < 40; ++depth) many += chain(fmt::format("c{}", depth));
    for (int depth = -1; depth < 39; ++depth) {
        const std::string to_next = fmt::format(R"({{"jump": {{"target": "c{}"}}}})", depth + 1);
        const std::string from = depth < 0 ? "input" : fmt::format("c{}", depth);
        many += rule(from, to_next) + rule(from, to_next);
    }
    CHECK(dropped_ports(ruleset(many), {27015}).empty());
}

TEST_CASE("commands that let ports through name ranges") {
    using Tool = Dropper::Tool;
    const Ports ports{27015, 27016, 27017, 27030};
    CHECK(ports_text(ports) == "27015-27017, 27030");
    CHECK(command_to_accept({Tool::Nft, "inet", "f", "deny", "in"}, ports) ==
          "nft insert rule inet f in udp dport { 27015-27017, 27030 } accept");
    CHECK(command_to_accept({Tool::Ufw, "ip", "filter", "INPUT", "INPUT"}, ports) ==
          "ufw allow 27015:27017/udp && ufw allow 27030/udp");
    CHECK(command_to_accept({Tool::Iptables, "ip", "filter", "INPUT", "INPUT"}, ports) ==
          "iptables -I INPUT -p udp --dport 27015:27017 -j ACCEPT && iptables -I INPUT -p udp --dport 27030 "
          "-j ACCEPT");
    CHECK(
        command_to_accept({Tool::Firewalld, "inet", "firewalld", "x", "y"}, ports) ==
        "firewall-cmd --permanent --add-port=27015-27017/udp --add-port=27030/udp && firewall-cmd --reload");
}
