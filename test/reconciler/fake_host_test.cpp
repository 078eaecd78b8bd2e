#include "support/fake_host.hpp"

#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::test;

TEST_CASE("placeholder") {}
