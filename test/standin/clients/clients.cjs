// node clients.cjs DIRECTORY PORT PASSWORD: what each client of the directory reads of the game on 127.0.0.1:PORT, as
// one JSON object. `error` stands in place of what a client could not read.
const [directory, port, password] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const load = require('node:module').createRequire(`${directory}/`);
const address = '127.0.0.1';

async function gamedig() {
  const { GameDig } = await import(`${directory}/node_modules/gamedig/lib/index.js`);
  const state = await GameDig.query({
    type: 'l4d2', host: address, port, givenPortOnly: true, requestRules: true, requestPlayersRequired: true,
    requestRulesRequired: true, socketTimeout: 3000,
  });
  return {
    name: state.name, map: state.map, players: state.numplayers, most: state.maxplayers, port: state.raw.gameport ?? state.gamePort,
    keywords: state.raw.tags, list: state.players.map((one) => [one.name, one.raw.score]), rules: state.raw.rules,
  };
}

async function fabricio() {
  const { Server } = load('@fabricio-191/valve-server-query');
  const server = await Server({ ip: address, port, timeout: 3000, enableWarns: false });
  const [info, players, rules] = [await server.getInfo(), await server.getPlayers(), await server.getRules()];
  return {
    name: info.name, map: info.map, players: info.players.online, most: info.players.max, port: info.port, keywords: info.keywords,
    list: [...players].map((one) => [one.name, one.score]), rules,
  };
}

async function steamServerQuery() {
  const { queryGameServerInfo, queryGameServerPlayer, queryGameServerRules } = load('steam-server-query');
  const where = `${address}:${port}`;
  const info = await queryGameServerInfo(where, 1, 3000);
  const players = await queryGameServerPlayer(where, 1, 3000);
  // It does not put together what was split.
  const rules = await queryGameServerRules(where, 1, 1000).catch(() => undefined);
  return {
    name: info.name, map: info.map, players: info.players, most: info.maxPlayers, port: info.port, keywords: info.keywords?.split(','),
    list: players.players.map((one) => [one.name, one.score]),
    rules: rules && Object.fromEntries(rules.rules.map((one) => [one.name, one.value])),
  };
}

async function rconSrcds() {
  const Rcon = load('rcon-srcds').default;
  const console = new Rcon({ host: address, port, timeout: 3000 });
  await console.authenticate(password);
  const said = { status: await console.execute('status'), long: await console.execute('exec long') };
  await console.disconnect();
  return said;
}

async function srcdsRcon() {
  const console = load('srcds-rcon')({ address: `${address}:${port}`, password });
  await console.connect();
  const said = { status: await console.command('status', 3000), long: await console.command('exec long', 3000) };
  await console.disconnect();
  return said;
}

(async () => {
  const read = {};
  // srcds-rcon hangs when two packets come in one segment, as on a busy machine.
  const tries = { srcdsRcon: 3 };
  for (const client of [gamedig, fabricio, steamServerQuery, rconSrcds, srcdsRcon]) {
    for (let left = tries[client.name] ?? 1; left > 0 && (read[client.name]?.error ?? true); left -= 1) {
      let timer;
      const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error('no answer in 10 s')), 10000); });
      read[client.name] = await Promise.race([client(), late]).catch((error) => ({ error: String(error) }));
      clearTimeout(timer);
    }
  }
  process.stdout.write(JSON.stringify(read, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
  process.exit(0);
})();
