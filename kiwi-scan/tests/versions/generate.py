#!/usr/bin/env python3
"""Writes the pairs of versions beside this file: generated, and put in order by each ecosystem's own tool. Names such as `go` write those alone.

Needs pip and, from Debian, ruby, php with php-composer-semver, java with maven, node with npm, elixir, golang-go with golang-golang-x-mod-dev, mono-runtime
with mono-mcs. NuGet's order is in its own program, which npm has as nuget-exe. Nobody's registry has Dart, so that pub is not here. The seed is fixed.

Written with ruby 3.1.2, php 8.2, Maven 3.8.7, npm 11.19.1, pip 23.2.1's packaging 21.3, Elixir 1.14.0, golang.org/x/mod 0.7.0, NuGet 5.8.0.
"""
import glob, json, os, random, subprocess, sys, tempfile
from pip._vendor.packaging.version import Version

HERE = os.path.dirname(os.path.abspath(__file__))
COUNT = 3300
random.seed(20261121)


def number():
    return str(random.choice([0, 0, 1, 1, 2, 3, 9, 10, 11, 100, 2024]))


def numbers(least, most):
    return ".".join(number() for _ in range(random.randint(least, most)))


def semver():
    text = numbers(3, 3)
    if random.random() < 0.5:
        text += "-" + ".".join(random.choice(["alpha", "beta", "rc", "RC", "0", "1", "2", "10", "a-b", "rc1", "x7z"]) for _ in range(random.randint(1, 3)))
    if random.random() < 0.2:
        text += "+build." + number()
    return text


def pypi():
    text = random.choice(["", "", "", "1!"]) + numbers(1, 4)
    text += random.choice(["", "", "a" + number(), "b" + number(), "rc" + number(), ".alpha" + number(), "-c" + number()])
    text += random.choice(["", "", "", ".post" + number(), "-" + number()])
    text += random.choice(["", "", "", ".dev" + number()])
    return text + random.choice(["", "", "", "", "+local." + number(), "+ubuntu.1"])


def rubygems():
    text = numbers(1, 4)
    if random.random() < 0.5:
        text += random.choice([".", "-"]) + random.choice(["a", "alpha", "b1", "beta.2", "pre", "rc1", "rc.10", "rc2", "java", "dev.0"])
    return text


def packagist():
    text = random.choice(["", "v"]) + numbers(1, 4)
    return text + random.choice(["", "", "-alpha", "-alpha1", "-beta" + number(), "-RC" + number(), "-rc.1", "-patch1", "-pl2", "-p3", "b2", "-stable", "a1"])


def maven():
    text = numbers(1, 4)
    for _ in range(random.choice([0, 0, 1, 1, 2])):
        text += random.choice([".", "-", ""]) + random.choice(
            ["alpha", "a1", "beta", "b2", "m3", "milestone-1", "rc", "cr1", "RC2", "SNAPSHOT", "ga", "Final", "FINAL", "RELEASE", "sp", "sp1", "jre", "android", "x", "0", "1", "20240101", "foo"])
    return text


def pairs(make):
    found = set()
    while len(found) < COUNT:
        one = make()
        # Most pairs share their beginning: that is where orders differ.
        other = make() if random.random() < 0.4 else one.split("-")[0] + random.choice(["", ".0", ".1", "-1", "-alpha", "-rc1", ".rc1", "-SNAPSHOT", "-beta2", ".0.0"])
        found.add((one, other))
    return sorted(found)


def run(command, lines):
    out = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True)
    if out.returncode:
        sys.exit(out.stderr[-2000:])
    return out.stdout.split("\n")


def by_packaging(all):
    def order(one, other):
        try:
            a, b = Version(one), Version(other)
        except Exception:
            return "?"
        return "<" if a < b else ">" if a > b else "="
    return [order(*pair) for pair in all]


def by_node(all):
    root = subprocess.run(["npm", "root", "-g"], capture_output=True, text=True).stdout.strip()
    script = f"""
const semver = require({json.dumps(root + '/npm/node_modules/semver')});
const lines = require('fs').readFileSync(0, 'utf8').trim().split('\\n');
for (const line of lines) {{
  const [one, other] = line.split(' ');
  if (!semver.valid(one) || !semver.valid(other)) {{ console.log('?'); continue; }}
  console.log({{'-1': '<', '0': '=', '1': '>'}}[semver.compare(one, other)]);
}}"""
    return run(["node", "-e", script], [" ".join(pair) for pair in all])


def by_ruby(all):
    script = "STDIN.each_line { |l| a, b = l.split; begin; puts({-1=>'<',0=>'=',1=>'>'}[Gem::Version.new(a) <=> Gem::Version.new(b)]); rescue ArgumentError; puts '?'; end }"
    return run(["ruby", "-e", script], [" ".join(pair) for pair in all])


def by_composer(all):
    script = """
require '/usr/share/php/Composer/Semver/autoload.php';
$parser = new Composer\\Semver\\VersionParser();
while (($line = fgets(STDIN)) !== false) {
  $pair = explode(' ', trim($line));
  if (count($pair) < 2) continue;
  try { $a = $parser->normalize($pair[0]); $b = $parser->normalize($pair[1]); } catch (Exception $e) { echo "?\\n"; continue; }
  $order = version_compare($a, $b);
  echo ($order < 0 ? '<' : ($order > 0 ? '>' : '=')) . "\\n";
}"""
    return run(["php", "-r", script], [" ".join(pair) for pair in all])


def by_maven(all):
    jars = ":".join(glob.glob("/usr/share/maven/lib/maven-artifact*.jar") + glob.glob("/usr/share/maven/lib/commons-lang3*.jar") + glob.glob("/usr/share/java/commons-lang3.jar"))
    orders = []
    # It compares each argument with the one before.
    for begin in range(0, len(all), 400):
        some = all[begin:begin + 400]
        arguments = [version for pair in some for version in pair]
        out = run(["java", "-cp", jars, "org.apache.maven.artifact.versioning.ComparableVersion", *arguments], [])
        found = [line.split()[1] if len(line.split()) > 2 else "" for line in out if line.startswith("   ")]
        found = [{"<": "<", ">": ">", "==": "="}[order] for order in found]
        orders += found[0::2]
    return orders


def go():
    text = "v" + semver()
    # What is made of commits, and what was before modules.
    return text + random.choice([""] * 6 + ["+incompatible", "-20240131120000-0123456789ab", "-0.20240131120000-0123456789ab", "-rc.1.0.20240131120000-abcdefabcdef"])


def nuget():
    text = numbers(1, 4)
    if random.random() < 0.6:
        text += "-" + ".".join(random.choice(["alpha", "Beta", "beta", "rc", "RC", "0", "1", "2", "10", "a-b", "rc1", "preview", "X7z"]) for _ in range(random.randint(1, 3)))
    return text + random.choice(["", "", "", "", "+build." + number()])


def by_elixir(all):
    script = """
for line <- IO.stream(:stdio, :line) do
  [one, other] = String.split(line)
  IO.puts(case {Version.parse(one), Version.parse(other)} do
    {{:ok, a}, {:ok, b}} -> %{lt: "<", eq: "=", gt: ">"}[Version.compare(a, b)]
    _ -> "?"
  end)
end"""
    return run(["elixir", "-e", script], [" ".join(pair) for pair in all])


def by_go(all):
    script = """package main

import ("bufio"; "fmt"; "os"; "strings"; "golang.org/x/mod/semver")

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		pair := strings.Fields(lines.Text())
		if !semver.IsValid(pair[0]) || !semver.IsValid(pair[1]) { fmt.Println("?"); continue }
		fmt.Println(map[int]string{-1: "<", 0: "=", 1: ">"}[semver.Compare(pair[0], pair[1])])
	}
}"""
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "compare.go")
        open(place, "w").write(script)
        os.environ.update(GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=folder, GOFLAGS="")
        return run(["go", "run", place], [" ".join(pair) for pair in all])


def by_nuget(all):
    script = """
using System; using NuGet.Versioning;
static class Compare { static void Main() {
    for (string line; (line = Console.ReadLine()) != null; ) {
        var pair = line.Split(' ');
        NuGetVersion one, other;
        if (!NuGetVersion.TryParse(pair[0], out one) || !NuGetVersion.TryParse(pair[1], out other)) { Console.WriteLine("?"); continue; }
        var order = one.CompareTo(other);
        Console.WriteLine(order < 0 ? "<" : order > 0 ? ">" : "=");
    }
} }"""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, "nuget-exe@5.8.0"], check=True, stdout=subprocess.DEVNULL)
        nuget = glob.glob(folder + "/node_modules/nuget-exe/*.exe")[0]
        os.rename(nuget, folder + "/NuGet.exe")
        open(folder + "/compare.cs", "w").write(script)
        subprocess.run(["mcs", "-nowarn:1701", f"-r:{folder}/NuGet.exe", "-out:" + folder + "/compare.exe", folder + "/compare.cs"], check=True)
        return run(["mono", folder + "/compare.exe"], [" ".join(pair) for pair in all])


for name, make, judge in [
    ("npm", semver, by_node),
    ("pypi", pypi, by_packaging),
    ("rubygems", rubygems, by_ruby),
    ("packagist", packagist, by_composer),
    ("maven", maven, by_maven),
    ("hex", semver, by_elixir),
    ("go", go, by_go),
    ("nuget", nuget, by_nuget),
]:
    # Each takes its share of the random numbers, so that every file comes out alike whichever are written.
    all = pairs(make)
    if sys.argv[1:] and name not in sys.argv[1:]:
        continue
    orders = judge(all)
    with open(os.path.join(HERE, name + ".txt"), "w") as file:
        for (one, other), order in zip(all, orders):
            file.write(f"{one} {order} {other}\n")
    print(name, len(all), "pairs,", sum(order == "?" for order in orders[:len(all)]), "of them refused by the tool")
