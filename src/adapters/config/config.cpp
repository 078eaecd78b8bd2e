#include "adapters/config/config.hpp"

#include <yaml-cpp/yaml.h>

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

#include "adapters/config/git_settings.hpp"
#include "adapters/config/reader.hpp"
#include "specs/text_checks.hpp"

namespace left4me {

namespace {

void read_source(Reader& reader, const YAML::Node& node, Config& config) {
    reader.map(
        node, "source",
        {{"directory", [&](const YAML::Node& value) { reader.directory(value, config.source_directory); }},
         {"git", [&](const YAML::Node& value) { read_git_settings(reader, value, config); }}});
    if (node.IsMap() && node["directory"] && node["git"]) {
        reader.error(node.Mark(), "source is a directory or git, not both");
    }
}

void read_metrics(Reader& reader, const YAML::Node& node, Config& config) {
    reader.map(node, "metrics",
               {{"textfile",
                 [&](const YAML::Node& value) {
                     reader.file(value, config.metrics_textfile);
                     // node_exporter would pass over any other name without a word.
                     if (!config.metrics_textfile.empty() && config.metrics_textfile.extension() != ".prom")
                         reader.error(value.Mark(), "must end in .prom");
                 }},
                {"port", [&](const YAML::Node& value) {
                     std::size_t port = 0;
                     reader.number(value, 1, 65535, port);
                     config.metrics_port = static_cast<std::uint16_t>(port);
                 }}});
}

/// Places whose files left4me may read and operators may not, and those that are no files at all.
constexpr std::array<std::string_view, 6> never_roots{
    "/etc/left4me", "/var/lib/left4me", "/run", "/proc", "/sys", "/dev"};

void read_overlay_roots(Reader& reader, const YAML::Node& node, Config& config) {
    reader.directories(node, config.limits.overlay_roots);
    for (const YAML::Node& item : node) {
        if (!item.IsScalar()) continue;
        const std::string path = std::filesystem::path(item.Scalar()).lexically_normal().string();
        for (const std::string_view place : never_roots) {
            if (!lies_in(path, place) && !lies_in(place, path)) continue;
            reader.error(item.Mark(), fmt::format("{} must not be in an overlay: name a directory that holds "
                                                  "nothing but sources of overlays",
                                                  place));
            break;
        }
    }
}

void read(Reader& reader, const YAML::Node& root, Config& config) {
    reader.map(
        root, "the configuration",
        {{"source", [&](const YAML::Node& node) { read_source(reader, node, config); }},
         {"metrics", [&](const YAML::Node& node) { read_metrics(reader, node, config); }},
         {"overlayRoots", [&](const YAML::Node& node) { read_overlay_roots(reader, node, config); }},
         {"limits", [&](const YAML::Node& node) {
              Limits& limits = config.limits;
              reader.map(
                  node, "limits",
                  {{"fileBytes",
                    [&](const YAML::Node& value) {
                        reader.number(value, 1024, std::size_t{64} << 20U, limits.file_bytes);
                    }},
                   {"documents",
                    [&](const YAML::Node& value) { reader.number(value, 1, 1'000'000, limits.documents); }},
                   {"depth", [&](const YAML::Node& value) { reader.number(value, 8, 1000, limits.depth); }},
                   {"overlayBytes",
                    [&](const YAML::Node& value) {
                        reader.number(value, 1U << 20U, std::size_t{1} << 50U, limits.source.bytes);
                    }},
                   {"overlayEntries", [&](const YAML::Node& value) {
                        reader.number(value, 1, 10'000'000, limits.source.entries);
                    }}});
          }}});
}

}  // namespace

std::expected<Config, Diagnostics> parse_config(const std::string& name, const std::string& text) {
    Reader reader(name);
    Config config;
    try {
        const std::vector<YAML::Node> documents = YAML::LoadAll(text);
        if (documents.size() > 1) reader.error(documents[1].Mark(), "a configuration is one document");
        if (!documents.empty()) read(reader, documents.front(), config);
    } catch (const YAML::Exception& exception) {
        reader.error(exception.mark, exception.msg);
    }
    Diagnostics diagnostics = reader.take();
    if (!diagnostics.empty()) return std::unexpected(std::move(diagnostics));
    config.warnings = reader.take_warnings();
    return config;
}

}  // namespace left4me
