/**
 * Reads from the source what the package exports, with its docstrings: for the reference in docs/api and for the test
 * that wants a docstring on each part. TypeScript 7 has no API for programs; ts-morph brings the last compiler that has.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type ClassDeclaration,
  type FunctionDeclaration,
  type InterfaceDeclaration,
  type JSDocableNode,
  Node,
  Project,
  type SourceFile,
  SyntaxKind,
  type TypeAliasDeclaration,
} from "ts-morph";
import { type Doc, docOf, isInternal, oneLine } from "./doc-comments.ts";

/** Part of something that is exported: a property, a method, an accessor. */
export interface ApiMember {
  /** With the names of what it is in: `phases`, `failures[].part`. */
  readonly name: string;
  /** Its type as in the source; of a method what follows its name. */
  readonly type: string;
  readonly optional: boolean;
  readonly doc: Doc;
}

/** Something that is exported. */
export interface ApiItem {
  readonly name: string;
  readonly kind: "function" | "class" | "interface" | "type";
  /** Its declaration without members and bodies. */
  readonly signature: string;
  readonly doc: Doc;
  readonly members: readonly ApiMember[];
  /** A function's, by name. */
  readonly parameters: readonly string[];
  /** Where it is declared, relative to the repository. */
  readonly file: string;
  /** Names of types of the project's own that it mentions. */
  readonly mentions: readonly string[];
}

/** One of the package's entries. */
export interface ApiEntry {
  /** As it is imported: `thrift-sluice/client`. */
  readonly specifier: string;
  readonly items: readonly ApiItem[];
}

const root = fileURLToPath(new URL("..", import.meta.url));

interface PackageJson {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly "sluice-source": string } | string>>;
}

/** All entries of package.json that have types. */
export function readApi(): readonly ApiEntry[] {
  const { name, exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as PackageJson;
  const project = new Project({
    tsConfigFilePath: `${root}tsconfig.json`,
    skipAddingFilesFromTsConfig: true,
  });
  const entries: ApiEntry[] = [];
  for (const [path, target] of Object.entries(exports)) {
    if (typeof target === "string") continue;
    const source = project.addSourceFileAtPath(`${root}${target["sluice-source"]}`);
    entries.push({ specifier: path.replace(/^\./, name), items: itemsOf(source) });
  }
  return entries;
}

function itemsOf(entry: SourceFile): readonly ApiItem[] {
  const items: ApiItem[] = [];
  const exported = entry.getExportedDeclarations();
  for (const [name, declarations] of exported) {
    for (const declaration of declarations) items.push(itemOf(name, declaration, new Set(exported.keys())));
  }
  return items;
}

/** @throws for a kind of export that the package has not had so far */
function itemOf(name: string, node: Node, exported: ReadonlySet<string>): ApiItem {
  const file = node.getSourceFile().getFilePath().slice(root.length);
  const rest = { name, file, mentions: mentionsOf(node, exported), parameters: [] };
  if (Node.isFunctionDeclaration(node)) {
    const parameters = node.getParameters().map((parameter) => parameter.getName());
    const signature = functionSignature(node);
    return { ...rest, kind: "function", signature, doc: docOf(node), members: [], parameters };
  }
  if (Node.isClassDeclaration(node)) {
    return { ...rest, kind: "class", signature: headOf(node), doc: docOf(node), members: classMembers(node) };
  }
  if (Node.isInterfaceDeclaration(node)) {
    const members = [...inheritedMembers(node, exported), ...typeMembers(node)];
    return { ...rest, kind: "interface", signature: headOf(node), doc: docOf(node), members };
  }
  if (Node.isTypeAliasDeclaration(node)) {
    const literal = node.getTypeNode();
    const members = Node.isTypeLiteral(literal) ? typeMembers(literal) : [];
    return { ...rest, kind: "type", signature: aliasSignature(node), doc: docOf(node), members };
  }
  throw new Error(`${file}: ${name} is a ${node.getKindName()}; teach tools/api-model.ts about it`);
}

/** Without what is marked @internal, private or protected. Constructors belong to whoever may make one. */
function classMembers(node: ClassDeclaration): ApiMember[] {
  const members: ApiMember[] = [];
  for (const member of node.getMembers()) {
    if (Node.isConstructorDeclaration(member) || !Node.isJSDocable(member)) continue;
    if (Node.isModifierable(member) && member.hasModifier(SyntaxKind.PrivateKeyword)) continue;
    if (isInternal(member)) continue;
    const named = member as Node & { getName?: () => string };
    const name = named.getName?.() ?? "";
    // What overrides or implements a member of JavaScript's own is documented there.
    if (name.startsWith("#") || name.startsWith("[Symbol.") || (name === "name" && isOverride(member)))
      continue;
    const type = Node.isPropertyDeclaration(member)
      ? (member.getTypeNode()?.getText() ?? member.getInitializer()?.getText() ?? "")
      : Node.isGetAccessorDeclaration(member)
        ? (member.getReturnTypeNode()?.getText() ?? "")
        : signatureText(member);
    members.push({ name, type: typeLine(type), optional: false, doc: memberDoc(node, member, name) });
  }
  return members;
}

/** What has no docstring has that of the member which it implements. */
function memberDoc(node: ClassDeclaration, member: JSDocableNode, name: string): Doc {
  const inherited = node
    .getBaseClass()
    ?.getMembers()
    .find((base) => Node.isPropertyDeclaration(base) && base.getName() === name);
  return member.getJsDocs().length === 0 && Node.isJSDocable(inherited) ? docOf(inherited) : docOf(member);
}

function isOverride(member: Node): boolean {
  return Node.isModifierable(member) && member.hasModifier(SyntaxKind.OverrideKeyword);
}

interface HasMembers {
  getMembers(): Node[];
}

/** Members of an interface or of a type literal, and those of literals inside. */
function typeMembers(node: HasMembers, prefix = ""): ApiMember[] {
  const members: ApiMember[] = [];
  for (const member of node.getMembers()) {
    if (Node.isMethodSignature(member)) {
      const doc = docOf(member);
      const optional = member.hasQuestionToken();
      members.push({ name: prefix + member.getName(), type: signatureText(member), optional, doc });
    } else if (Node.isPropertySignature(member)) {
      const typeNode = member.getTypeNode();
      const type = typeLine(typeNode?.getText() ?? "unknown");
      const name = prefix + member.getName();
      members.push({ name, type, optional: member.hasQuestionToken(), doc: docOf(member) });
      for (const literal of literalsIn(typeNode)) members.push(...typeMembers(literal, `${name}.`));
    }
  }
  return members;
}

/** What an interface has from those that are not exported: nobody would find it elsewhere. */
function inheritedMembers(node: InterfaceDeclaration, exported: ReadonlySet<string>): ApiMember[] {
  return node
    .getBaseDeclarations()
    .filter((base) => Node.isInterfaceDeclaration(base) && isOurs(base) && !exported.has(base.getName()))
    .flatMap((base) => typeMembers(base as InterfaceDeclaration));
}

function isOurs(node: Node): boolean {
  return node.getSourceFile().getFilePath().startsWith(`${root}src/`);
}

/** The object types that are written out in a property's type: alone, or as what a list holds. */
function literalsIn(type: Node | undefined): readonly (HasMembers & Node)[] {
  if (Node.isTypeLiteral(type)) return [type];
  if (Node.isTypeOperatorTypeNode(type)) return literalsIn(type.getTypeNode());
  if (Node.isArrayTypeNode(type)) return literalsIn(type.getElementTypeNode());
  return [];
}

/** A type without the line breaks that the formatter gave it. */
function typeLine(text: string): string {
  return oneLine(text).replace(/(?<=[([<]) |,? (?=[)\]>])/g, "");
}

/** A declaration as far as its members begin. */
function headOf(node: ClassDeclaration | InterfaceDeclaration): string {
  const text = node.getText();
  return typeLine(text.slice(0, text.indexOf("{")).replace(/^export /, ""));
}

function functionSignature(node: FunctionDeclaration): string {
  return withoutBody(node)
    .replace(/^export (async )?/, "")
    .trim();
}

function signatureText(node: Node): string {
  return typeLine(
    withoutBody(node)
      .replace(/;$/, "")
      .replace(/^(?:async )?\w+\??(?=[(<])/, ""),
  );
}

function withoutBody(node: Node): string {
  const text = node.getText();
  const body = Node.isBodyable(node) ? node.getBody()?.getText() : undefined;
  return body === undefined ? text : text.slice(0, -body.length);
}

function aliasSignature(node: TypeAliasDeclaration): string {
  const text = node.getText().replace(/^export /, "");
  const type = node.getTypeNode();
  // What is derived from tables says nothing to who has not got them: its values do.
  const derived = Node.isIndexedAccessTypeNode(type) || Node.isTypeOperatorTypeNode(type);
  if (!derived) return text;
  const values = node
    .getType()
    .getUnionTypes()
    .map((value) => value.getText());
  return `type ${node.getName()} = ${values.join(" | ")};`;
}

/** The project's own types that a declaration names in what callers see of it: not in bodies, not in private parts. */
function mentionsOf(node: Node, exported: ReadonlySet<string>): string[] {
  const names = new Set<string>();
  const heritage = node.getDescendantsOfKind(SyntaxKind.ExpressionWithTypeArguments);
  for (const reference of [...node.getDescendantsOfKind(SyntaxKind.TypeReference), ...heritage]) {
    if (isHidden(reference, node)) continue;
    const named = Node.isTypeReference(reference) ? reference.getTypeName() : reference.getExpression();
    const symbol = named.getSymbol();
    const target = symbol?.getAliasedSymbol() ?? symbol;
    const declaration = target?.getDeclarations()[0];
    if (declaration === undefined || Node.isTypeParameterDeclaration(declaration)) continue;
    // What an interface has from such a one is among its own members.
    const merged = Node.isExpressionWithTypeArguments(reference) && !exported.has(target!.getName());
    if (isOurs(declaration) && !merged) names.add(target!.getName());
  }
  return [...names].sort();
}

function isHidden(node: Node, within: Node): boolean {
  for (const above of node.getAncestors()) {
    if (above === within) return false;
    if (Node.isBlock(above) || Node.isConstructorDeclaration(above)) return true;
    if (Node.isJSDocable(above) && isInternal(above)) return true;
    if (Node.isPropertyNamed(above) && above.getName().startsWith("#")) return true;
    if (Node.isMethodDeclaration(above) && above.getName().startsWith("#")) return true;
  }
  return false;
}
