#include "specs/lock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "specs/grammars/integer.hpp"
#include "specs/manifest.hpp"
#include "specs/name.hpp"
#include "specs/text.hpp"
#include "specs/text_checks.hpp"
#include "specs/validate.hpp"
#include "specs/value.hpp"

namespace left4me {
namespace {

constexpr std::int64_t any_number = std::numeric_limits<std::int64_t>::max();
/// As many as a build takes.
constexpr std::int64_t max_pins = 5000;
constexpr std::int64_t max_locked_overlays = 10'000;
constexpr std::int64_t max_file_name = 255;

template <std::size_t Digits>
void check_digits(std::string_view text, Violations& violations) {
    if (text.size() == Digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos) return;
    violations.push_back(
        {Rule::ValueInvalid,
         fmt::format("{} is not {} digits 0-9 and a-f; l4d2ctl lock writes them", in_quotes(text), Digits)});
}

void check_vpk_name(std::string_view text, Violations& violations) {
    const bool plain = !text.starts_with('.') && text.ends_with(".vpk") &&
                       text.find_first_of("/\\\n\t") == std::string_view::npos;
    if (plain) return;
    violations.push_back({Rule::ValueInvalid,
                          fmt::format("{} is not the name of a map's file, as c1m1.vpk", in_quotes(text))});
}

constexpr std::array git_fields{Field{.name = "commit",
                                      .required = true,
                                      .documentation = "The commit.",
                                      .maximum = 64,
                                      .check = check_digits<40>}};
constexpr std::array steam_fields{Field{.name = "build",
                                        .type = Type::BuildId,
                                        .required = true,
                                        .documentation = "The number of the game's build.",
                                        .maximum = 20}};
constexpr std::array item_fields{
    Field{.name = "updated",
          .type = Type::Integer,
          .required = true,
          .documentation = "When the item was last updated, in seconds since 1970.",
          .example = "1700000000",
          .maximum = any_number},
    Field{.name = "size",
          .type = Type::Integer,
          .required = true,
          .documentation = "Bytes of its file.",
          .example = "1048576",
          .minimum = 1,
          .maximum = any_number},
    Field{
        .name = "sha256", .type = Type::Sha256, .documentation = "The SHA-256 of its file.", .maximum = 64}};
constexpr std::array items_parts{
    Field{.name = "key", .type = Type::WorkshopId, .documentation = "The item's number.", .maximum = 20},
    Field{.name = "value", .type = Type::Map, .documentation = "Its version.", .children = item_fields}};
constexpr std::array workshop_fields{Field{.name = "items",
                                           .type = Type::TextMap,
                                           .required = true,
                                           .documentation = "All items, with those of collections.",
                                           .maximum = max_pins,
                                           .children = items_parts}};
constexpr std::array map_fields{Field{.name = "size",
                                      .type = Type::Integer,
                                      .required = true,
                                      .documentation = "Bytes of the map's VPK.",
                                      .example = "1048576",
                                      .minimum = 1,
                                      .maximum = any_number},
                                Field{.name = "md5",
                                      .required = true,
                                      .documentation = "The MD5 of the map's VPK.",
                                      .maximum = 64,
                                      .check = check_digits<32>}};
constexpr std::array maps_parts{
    Field{.name = "key",
          .documentation = "The name of the map's VPK.",
          .maximum = max_file_name,
          .check = check_vpk_name},
    Field{.name = "value", .type = Type::Map, .documentation = "Its version.", .children = map_fields}};
constexpr std::array map_index_fields{Field{.name = "maps",
                                            .type = Type::TextMap,
                                            .required = true,
                                            .documentation = "All maps that are not excluded.",
                                            .maximum = max_pins,
                                            .children = maps_parts}};
constexpr std::array pin_fields{
    Field{.name = "git", .type = Type::Map, .documentation = "Of a repository.", .children = git_fields},
    Field{.name = "workshop",
          .type = Type::Map,
          .documentation = "Of the Steam workshop.",
          .children = workshop_fields},
    Field{.name = "mapIndex",
          .type = Type::Map,
          .documentation = "Of an index of maps.",
          .children = map_index_fields},
    Field{.name = "steam",
          .type = Type::Map,
          .documentation = "Of the game itself.",
          .children = steam_fields}};
constexpr std::array locked_fields{Field{.name = "source",
                                         .required = true,
                                         .documentation = "Tells the pinned source from any other.",
                                         .maximum = 64,
                                         .check = check_digits<16>},
                                   Field{.name = "pin",
                                         .type = Type::Choice,
                                         .required = true,
                                         .documentation = "The version that is built.",
                                         .children = pin_fields}};
constexpr std::array overlays_parts{
    Field{.name = "key", .type = Type::Name, .documentation = "The overlay.", .maximum = max_name_length},
    Field{.name = "value", .type = Type::Map, .documentation = "Its pin.", .children = locked_fields}};
constexpr std::array<std::string_view, 1> versions{api_version};
constexpr std::array<std::string_view, 1> kind_names{"Lock"};
constexpr std::array lock_fields{Field{.name = "apiVersion",
                                       .type = Type::Enum,
                                       .required = true,
                                       .documentation = "The version of the format.",
                                       .example = api_version,
                                       .values = versions},
                                 Field{.name = "kind",
                                       .type = Type::Enum,
                                       .required = true,
                                       .documentation = "What this file is.",
                                       .example = "Lock",
                                       .values = kind_names},
                                 Field{.name = "overlays",
                                       .type = Type::TextMap,
                                       .required = true,
                                       .documentation = "The pin of each overlay.",
                                       .example = "{}",
                                       .maximum = max_locked_overlays,
                                       .children = overlays_parts}};
constexpr Field table{
    .name = "Lock", .type = Type::Map, .documentation = "Pins of moving inputs.", .children = lock_fields};

std::uint64_t number(const yaml::Node& map, std::string_view name) {
    return parse_integer(map.get(name)->text).value_or(0);
}

Pin read_pin(const yaml::Node& choice) {
    if (const yaml::Node* git = choice.get("git")) return GitPin{git->get("commit")->text};
    if (const yaml::Node* workshop = choice.get("workshop")) {
        WorkshopPin pin;
        for (const yaml::Entry& item : workshop->get("items")->entries) {
            const yaml::Node* sha256 = item.value->get("sha256");
            pin.items[item.key] = {number(*item.value, "updated"), number(*item.value, "size"),
                                   sha256 == nullptr ? std::string() : sha256->text};
        }
        return pin;
    }
    if (const yaml::Node* steam = choice.get("steam")) return SteamPin{steam->get("build")->text};
    MapIndexPin pin;
    for (const yaml::Entry& map : choice.get("mapIndex")->get("maps")->entries)
        pin.maps[map.key] = {number(*map.value, "size"), map.value->get("md5")->text};
    return pin;
}

/// A name of a map has no control characters, and no backslash.
std::string double_quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"') result += '\\';
        result += c;
    }
    return result + "\"";
}

std::string pin_text(const Pin& pin) {
    return std::visit(Overloaded{
                          [](const GitPin& git) {
                              return fmt::format("      git: {{commit: {}}}\n", double_quoted(git.commit));
                          },
                          [](const SteamPin& steam) {
                              return fmt::format("      steam: {{build: {}}}\n", double_quoted(steam.build));
                          },
                          [](const WorkshopPin& workshop) {
                              std::string text = "      workshop:\n        items:\n";
                              for (const auto& [id, item] : workshop.items) {
                                  text += fmt::format(
                                      "          {}: {{updated: {}, size: {}{}}}\n", double_quoted(id),
                                      item.updated, item.size,
                                      item.sha256.empty() ? "" : ", sha256: " + double_quoted(item.sha256));
                              }
                              return text;
                          },
                          [](const MapIndexPin& index) {
                              std::string text = "      mapIndex:\n        maps:\n";
                              for (const auto& [name, map] : index.maps)
                                  text += fmt::format("          {}: {{size: {}, md5: {}}}\n",
                                                      double_quoted(name), map.size, double_quoted(map.md5));
                              return text;
                          },
                      },
                      pin);
}

}  // namespace

bool is_lock_file(std::string_view name) {
    return name.substr(name.rfind('/') + 1) == lock_file_name;  // npos + 1 is 0
}

const Field& lock_table() { return table; }

Lock read_lock(const yaml::Node& root, Reporter& reporter) {
    if (root.kind != yaml::Node::Kind::Map) {
        reporter.add(Rule::NotAnObject, root.mark,
                     fmt::format("a lock file is a map that begins with `apiVersion: {}`; sudo l4d2ctl lock "
                                 "writes a new one once this is removed",
                                 api_version));
        return {};
    }
    const yaml::Node* const version = root.get("apiVersion");
    if (version != nullptr && version->kind == yaml::Node::Kind::Scalar && version->text != api_version) {
        reporter.add(Rule::ApiVersionUnknown, version->mark,
                     fmt::format("apiVersion {} is unknown; this version of left4me understands {} only",
                                 in_quotes(version->text), api_version));
        return {};
    }
    const Diagnostics& found = reporter.diagnostics();
    const std::size_t before = found.size();
    check_fields(root, table, reporter);
    Lock lock;
    if (found.size() != before) return lock;
    for (const yaml::Entry& overlay : root.get("overlays")->entries) {
        lock[overlay.key] = {overlay.value->get("source")->text, read_pin(*overlay.value->get("pin")),
                             reporter.at(overlay.mark)};
    }
    return lock;
}

std::string write_lock(const Lock& lock) {
    std::string text = fmt::format(
        "# Written by `l4d2ctl lock`; commit it with the manifests. It says which version of each moving\n"
        "# input the overlays are built from.\napiVersion: {}\nkind: Lock\n",
        api_version);
    if (lock.empty()) return text + "overlays: {}\n";
    text += "overlays:\n";
    for (const auto& [name, input] : lock) {
        // Some names would be numbers, or no.
        text += fmt::format("  {}:\n    source: {}\n    pin:\n{}", double_quoted(name),
                            double_quoted(input.source), pin_text(input.pin));
    }
    return text;
}

}  // namespace left4me
