#pragma once

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "specs/diagnostic.hpp"

namespace left4me {

/// Walks over a configuration and collects what is wrong with it.
class Reader {
  public:
    explicit Reader(std::string file) : file_(std::move(file)) {}

    using Field = std::function<void(const YAML::Node&)>;

    void error(const YAML::Mark& mark, std::string message);
    void warning(const YAML::Mark& mark, std::string message);
    void map(const YAML::Node& node, const std::string& what, const std::map<std::string, Field>& fields);
    void directory(const YAML::Node& node, std::filesystem::path& into);
    /// A list of at least one absolute path.
    void directories(const YAML::Node& node, std::vector<std::string>& into);
    void file(const YAML::Node& node, std::filesystem::path& into);
    void number(const YAML::Node& node, std::size_t low, std::size_t high, std::size_t& into);
    /// `90s`, `5m`, `1h`.
    void duration(const YAML::Node& node, std::chrono::seconds low, std::chrono::seconds high,
                  std::chrono::seconds& into);

    Diagnostics take() { return std::move(diagnostics_); }
    Diagnostics take_warnings() { return std::move(warnings_); }

  private:
    bool absolute_path(const YAML::Node& node, const char* what, std::filesystem::path& into);

    std::string file_;
    Diagnostics diagnostics_;
    Diagnostics warnings_;
};

}  // namespace left4me
