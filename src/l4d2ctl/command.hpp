#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "l4d2ctl/exit.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace left4me::ctl {

/// One verb of the command line while it is put together. CLI11 stands behind it, in one file: its templates
/// cost seconds a file. Everything referred to must outlive the parsing.
class Command {
  public:
    Command(CLI::App& app, std::string& chosen, std::function<Result<Exit>()>& run, const std::string& name,
            const std::string& description, const std::string& example, std::function<Result<Exit>()> what);

    /// A word without dashes that must be given.
    void argument(const std::string& name, std::string& into, const std::string& help);
    /// A word of a few.
    void choice(const std::string& name, std::string& into, const std::vector<std::string>& choices,
                const std::string& help);
    void optional_argument(const std::string& name, std::string& into, const std::string& help);
    /// One or two such words: KIND NAME.
    void arguments(const std::string& name, std::vector<std::string>& into, const std::string& help);
    /// `--output TEXT`, perhaps one of a few words.
    void option(const std::string& names, std::string& into, const std::string& help,
                const std::vector<std::string>& choices = {});
    void required_option(const std::string& names, std::string& into, const std::string& help);
    void option(const std::string& names, unsigned& into, const std::string& help);
    /// `-f A -f B`.
    void repeated(const std::string& names, std::vector<std::string>& into, const std::string& help,
                  bool required);
    void flag(const std::string& names, bool& into, const std::string& help);
    /// `--wait` or `--wait=TEXT`; `given` answers with what is wrong with the text, or nothing.
    void optional_value(const std::string& name, const std::string& value,
                        std::function<std::string(const std::string&)> given, const std::string& help);

    /// Leaves the verb out of the help: programs run it, not people.
    void hide();

  private:
    CLI::App* verb_;
};

}  // namespace left4me::ctl
