#include "specs/instance_spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "specs/name.hpp"
#include "specs/text.hpp"
#include "specs/text_checks.hpp"
#include "specs/yaml.hpp"

namespace left4me {
namespace {

using yaml::Node;

constexpr std::array<std::string_view, 4> fields{"port", "overlays", "arguments", "config"};

/// In double quotes, as YAML and JSON read them.
std::string in_double_quotes(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

class Conversion {
  public:
    explicit Conversion(const SourceFile& spec) : file_(spec.name), document_(yaml::parse(spec.text, {})) {}

    std::expected<std::string, Diagnostics> convert(const std::string& name, RunState state) {
        for (const yaml::Problem& problem : document_.problems) complain(problem.mark, problem.message);
        if (errors_.empty() && (document_.root == nullptr || document_.root->kind != Node::Kind::Map))
            complain({}, "a spec is a map with `port`, `overlays`, `arguments` and `config`");
        if (!errors_.empty()) return std::unexpected(errors_);
        for (const yaml::Entry& entry : document_.root->entries) {
            if (std::find(fields.begin(), fields.end(), entry.key) == fields.end())
                complain(entry.mark, fmt::format("unknown field {}{} (a spec has {})", in_quotes(entry.key),
                                                 did_you_mean(entry.key, fields), one_of(fields)));
        }
        const std::string port = port_text();
        const std::string blueprint =
            fmt::format("{}{}{}", list_text("overlays"), list_text("arguments"), config_text());
        if (!errors_.empty()) return std::unexpected(errors_);
        return fmt::format(
            "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {{name: {0}}}\nspec:{1}\n---\n"
            "apiVersion: left4me/v1\nkind: Server\nmetadata: {{name: {0}}}\n"
            "spec: {{blueprint: {0}, port: {2}, state: {3}}}\n",
            name, blueprint.empty() ? " {}" : "\n" + blueprint.substr(0, blueprint.size() - 1), port,
            state == RunState::Running ? "Running" : "Stopped");
    }

  private:
    void complain(const yaml::Mark& mark, std::string message) {
        errors_.push_back({{file_, mark.line + 1, mark.column + 1}, std::move(message)});
    }

    std::string port_text() {
        const Node* const node = document_.root->get("port");
        const bool is_number = node != nullptr && node->kind == Node::Kind::Scalar && !node->text.empty() &&
                               node->text.find_first_not_of("0123456789") == std::string::npos;
        if (is_number) return node->text;
        complain(node == nullptr ? yaml::Mark{} : node->mark,
                 "a spec needs a port; write e.g. `port: 27015`");
        return {};
    }

    std::vector<std::string> lines_of(std::string_view field) {
        const Node* const node = document_.root->get(field);
        std::vector<std::string> lines;
        if (node == nullptr || node->kind == Node::Kind::Null) return lines;
        if (node->kind != Node::Kind::Sequence) {
            complain(node->mark, fmt::format("`{}` must be a list", field));
            return lines;
        }
        for (const yaml::NodePtr& item : node->items) {
            if (item->kind == Node::Kind::Scalar && item->text.find('\n') == std::string::npos)
                lines.push_back(item->text);
            else
                complain(item->mark, fmt::format("an item of `{}` must be one line of text", field));
        }
        return lines;
    }

    std::string list_text(std::string_view field) {
        std::vector<std::string> items;
        for (const std::string& line : lines_of(field)) items.push_back(in_double_quotes(line));
        return items.empty() ? std::string() : fmt::format("  {}: [{}]\n", field, fmt::join(items, ", "));
    }

    std::string config_text() {
        const Node* const node = document_.root->get("config");
        std::string text;
        if (node != nullptr && node->kind == Node::Kind::Scalar)
            text = node->text;
        else
            text = fmt::format("{}", fmt::join(lines_of("config"), "\n"));
        while (text.ends_with('\n')) text.pop_back();
        if (text.empty()) return {};
        // `|2`: the first line may itself begin with blanks.
        std::string block = "  config: |2\n";
        for (std::size_t at = 0; at <= text.size();) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            block += at == end ? "\n" : fmt::format("    {}\n", text.substr(at, end - at));
            at = end + 1;
        }
        return block;
    }

    std::string file_;
    yaml::Document document_;
    Diagnostics errors_;
};

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end > 0) words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

/// What the environment file of a unit sets `key` to; nullopt: nothing.
std::optional<std::string> value_of(std::string_view environment, std::string_view key) {
    std::optional<std::string> value;
    for (const std::string& line : split(environment, '\n')) {
        if (line.starts_with(key) && line.substr(key.size()).starts_with('='))
            value = line.substr(key.size() + 1);
    }
    return value;
}

/// Without the options that left4me sets, and their values.
std::vector<std::string> without_owned(const std::vector<std::string>& words) {
    const auto owned = owned_options();
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (std::find(owned.begin(), owned.end(), words[i]) == owned.end()) {
            kept.push_back(words[i]);
        } else if (i + 1 < words.size() && !words[i + 1].starts_with('-') && !words[i + 1].starts_with('+')) {
            ++i;
        }
    }
    return kept;
}

}  // namespace

std::string name_of_old_overlay(const std::string& directory) { return "old-" + directory; }

std::expected<SourceFile, std::string> spec_of(const std::string& name, OldInstance& instance) {
    const auto port = value_of(instance.environment, "L4D2_PORT");
    const std::string arguments = value_of(instance.environment, "L4D2_ARGS").value_or("");
    const auto layers = value_of(instance.environment, "L4D2_LOWERDIRS");
    if (!port || !layers) return std::unexpected("instance.env has no L4D2_PORT or no L4D2_LOWERDIRS");
    if (arguments.find_first_of("\"'\\") != std::string::npos)
        return std::unexpected("L4D2_ARGS has quotes; remove them, or write its Blueprint by hand");
    std::string overlays;
    for (const std::string& layer : split(*layers, ':')) {
        if (layer == instance.state + "/installation") continue;
        const std::string directory = layer.substr(layer.rfind('/') + 1);
        if (layer != instance.state + "/overlays/" + directory ||
            !is_valid_name(name_of_old_overlay(directory)))
            return std::unexpected(in_quotes(layer) + " is no overlay that can be converted");
        instance.overlays.push_back(directory);
        overlays += fmt::format("  - {}\n", in_double_quotes(name_of_old_overlay(directory)));
    }
    std::string text = fmt::format("port: {}\n", *port);
    if (!overlays.empty()) text += "overlays:\n" + overlays;
    const auto words = without_owned(split(arguments, ' '));
    if (!words.empty()) text += "arguments:\n";
    for (const std::string& word : words) text += fmt::format("  - {}\n", in_double_quotes(word));
    const auto config = split(instance.config, '\n');
    if (!config.empty()) text += "config:\n";
    for (std::string line : config) {
        std::erase(line, '\r');
        text += fmt::format("  - {}\n", in_double_quotes(line));
    }
    return SourceFile{fmt::format("{} (the old platform's files)", name), text};
}

std::expected<std::string, Diagnostics> convert_instance_spec(const std::string& name, const SourceFile& spec,
                                                              RunState state) {
    return Conversion(spec).convert(name, state);
}

}  // namespace left4me
