#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace standin {

/// The game's console: variables, configuration files, and the few commands that a server's operator uses.
class Console {
  public:
    explicit Console(std::filesystem::path game_directory) : game_(std::move(game_directory)) {}

    /// One console line: commands separated by ';', words by spaces, "quoted words", // comments. Returns
    /// what the game would print.
    std::string execute(std::string_view line);
    /// cfg/NAME beneath the game's directory; a missing file is not an error: the game prints a message and
    /// continues.
    std::string execute_file(const std::string& name);

    void set(const std::string& name, std::string value) { variables_[name] = std::move(value); }
    std::string text(const std::string& name, const std::string& otherwise = "") const;
    int number(const std::string& name, int otherwise = 0) const;

    bool quit_asked() const { return quit_; }
    /// Those in the match and those who are connecting.
    int humans() const;
    std::string status() const;
    std::string stats() const;

  private:
    std::string command(const std::vector<std::string>& words);

    std::filesystem::path game_;
    std::map<std::string, std::string> variables_;
    int depth_ = 0;
    bool quit_ = false;
};

}  // namespace standin
