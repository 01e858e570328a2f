"""Zips the functions that `sam build` has left, and writes the template that names the archives: `.aws-sam/build/zipped.json`.

Done once, here: `sam deploy` would zip all functions anew for each of the local clouds that tests start. JSON, because it reads the
template seven times, at half a second for YAML.
"""

import json
import pathlib
import zipfile
from concurrent.futures import ThreadPoolExecutor

from samcli.yamlhelper import yaml_parse

BUILD = pathlib.Path(".aws-sam/build")


def zipped(folder):
    archive = f"{folder}.zip"
    with zipfile.ZipFile(BUILD / archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(BUILD / folder / "bootstrap", "bootstrap")
    return archive


template = yaml_parse((BUILD / "template.yaml").read_text())
functions = [it["Properties"] for it in template["Resources"].values() if it["Type"] == "AWS::Serverless::Function"]
with ThreadPoolExecutor() as threads:
    for function, archive in zip(functions, threads.map(lambda function: zipped(function["CodeUri"]), functions)):
        function["CodeUri"] = archive
(BUILD / "zipped.json").write_text(json.dumps(template, default=str))
