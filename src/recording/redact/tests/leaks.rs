//! Where secrets stand in calls of every kind: `SECRET` is masked, and the rest stays.

use rstest::rstest;

use super::{body, redaction, with};

#[rstest]
// Logins of addresses.
#[case::address(r#"{"u":"see https://bob:SECRET@h.test/p, ok"}"#, r#"{"u":"see https://[redacted]@h.test/p, ok"}"#)]
#[case::escaped_address(r#"{"u":"https:\/\/bob:SE@CRET@h.test\/"}"#, r#"{"u":"https:\/\/[redacted]@h.test\/"}"#)]
#[case::password_alone(
    r#"["redis://:SECRET@cache:6379/0", "https:\/\/:SECRET@h", "http://:@h"]"#,
    r#"["redis://[redacted]@cache:6379/0", "https:\/\/[redacted]@h", "http://:@h"]"#
)]
#[case::user_alone(r#"["ssh://git@h/", "http://h:80/@a:b@"]"#, r#"["ssh://git@h/", "http://h:80/@a:b@"]"#)]
// Credentials with their scheme.
#[case::header_in_text(
    r#"{"log":"POST /a\nAuthorization: Bearer SECRET\nhost: h"}"#,
    r#"{"log":"POST /a\nAuthorization: [redacted]\nhost: h"}"#
)]
#[case::header_in_line(r#"["x authorization: Bearer SECRET ok"]"#, r#"["x authorization: [redacted] ok"]"#)]
#[case::header_in_array(r#"[["authorization","Bearer SECRET"]]"#, r#"[["authorization","[redacted]"]]"#)]
#[case::basic(r#"["it is Basic Ym9iOlNFQ1JFVA== now", "Basic plan"]"#, r#"["it is [redacted] now", "Basic plan"]"#)]
// Parameters.
#[case::form_in_json(r#"{"x":"a=1&password=SECRET&b=2"}"#, r#"{"x":"a=1&password=[redacted]&b=2"}"#)]
#[case::escaped_form_in_json(r#"{"x":"a=1&pass%77ord=SECRET"}"#, r#"{"x":"a=1&pass%77ord=[redacted]"}"#)]
#[case::semicolon("a=1;password=SECRET;b=2", "a=1;password=[redacted];b=2")]
#[case::query_in_text(r#"["at https://h/?a=1&token=SECRET now"]"#, r#"["at https://h/?a=1&token=[redacted] now"]"#)]
// A name beside its value.
#[case::pairs(
    r#"[{"value":"SECRET","name":"password"},{"key":"api_key","n":1,"values":["SECRET",{"a":7}]},{"name":"a","value":"b"}]"#,
    r#"[{"value":"[redacted]","name":"password"},{"key":"api_key","n":1,"values":["[redacted]",{"a":"[redacted]"}]},{"name":"a","value":"b"}]"#
)]
#[case::pair_that_is_cut(r#"{"name":"password","value":"SECR"#, r#"{"name":"password","value":"[redacted]""#)]
// XML.
#[case::nested_xml(
    "<r><password>\n <v a='1'>SECRET</v><v><![CDATA[<x>]]></v></password><c>d</c></r>",
    "<r><password>\n <v a='1'>[redacted]</v><v>[redacted]</v></password><c>d</c></r>"
)]
#[case::xml_in_json(
    r#"{"x":"<a><password>SECRET</password></a>"}"#,
    r#"{"x":"<a><password>[redacted]</password></a>"}"#
)]
#[case::xml_in_text(
    "Error 500: <Request><password>SECRET</password></Request>",
    "Error 500: <Request><password>[redacted]</password></Request>"
)]
#[case::xml_in_text_in_json(
    r#"{"fault":"cannot read <soap:Body><password>SECRET</password></soap:Body>","log":["POST / <ssn>123</ssn>"]}"#,
    r#"{"fault":"cannot read <soap:Body><password>[redacted]</password></soap:Body>","log":["POST / <ssn>[redacted]</ssn>"]}"#
)]
#[case::empty_element(
    "bad: <p name='token' value='SECRET'/> and <b>this</b>",
    "bad: <p name='token' value='[redacted]'/> and <b>this</b>"
)]
#[case::json_that_is_escaped(
    "%7B%22password%22%3A%22SECRET%22%2C%22a%22%3A1%7D",
    "%7B%22password%22%3A%22[redacted]%22%2C%22a%22%3A1%7D"
)]
#[case::json_as_a_name("%7B%22password%22%3A%22SECRET%22%7D=", "%7B%22password%22%3A%22[redacted]%22%7D=")]
#[case::json_as_one_of_names("a=1&%7B%22otp%22%3A%22SECRET%22%7D", "a=1&%7B%22otp%22%3A%22[redacted]%22%7D")]
#[case::xml_names(
    "<r><p name=\"password\">SECRET</p><p name='token' value='SECRET'/><p name='a' value='b'>c</p></r>",
    "<r><p name=\"password\">[redacted]</p><p name='token' value='[redacted]'/><p name='a' value='b'>c</p></r>"
)]
#[case::xml_rpc(
    "<m><name>password</name>\n<value><string>SECRET</string></value><name>a</name><value>b</value></m>",
    "<m><name>password</name>\n<value><string>[redacted]</string></value><name>a</name><value>b</value></m>"
)]
#[case::html(
    "<input name=\"password\" value=\"SECRET\"><p>text",
    "<input name=\"password\" value=\"[redacted]\"><p>text"
)]
#[case::json_in_xml(
    "<r><d>{&quot;password&quot;:&quot;SECRET&quot;,&quot;a&quot;:1}</d></r>",
    "<r><d>{&quot;password&quot;:&quot;[redacted]&quot;,&quot;a&quot;:1}</d></r>"
)]
// Text.
#[case::lines("user: a\npassword: SECRET too\r\nb: c\n", "user: a\npassword: [redacted]\r\nb: c\n")]
#[case::environment("API_KEY=SECRET\nexport TOKEN=SECRET\nX=1\n", "API_KEY=[redacted]\nexport TOKEN=[redacted]\nX=1\n")]
#[case::block("a:\n  secret: |\n    SEC\n\n    RET\n  b: c\n", "a:\n  secret: |\n    [redacted]\n  b: c\n")]
#[case::single_quotes("{'password': 'SEC\\'RET', 'a': 'b'}", "{'password': '[redacted]', 'a': 'b'}")]
#[case::comment(r#"{/*c*/"password":"SECRET","a":1,}"#, r#"{/*c*/"password":"[redacted]","a":1,}"#)]
#[case::jsonp(r#"cb({"password":"SEC\"RET","a":"b"})"#, r#"cb({"password":"[redacted]","a":"b"})"#)]
#[case::two_words(r#"["my api key: SECRET1 ok"]"#, r#"["my api key: [redacted] ok"]"#)]
#[case::escaped_twice(
    r#"["https%3A%2F%2Fe.com%2F%3Ftoken%3DSECRET"]"#,
    r#"["https%3A%2F%2Fe.com%2F%3Ftoken%3D[redacted]"]"#
)]
// Tables.
#[case::table(
    "name,password,n\r\nAnn,SECRET,1\r\nBob,\"SE\"\"C,\nRET\",2\r\nCy,,3\r\nDi,SEC",
    "name,password,n\r\nAnn,[redacted],1\r\nBob,\"[redacted]\",2\r\nCy,,3\r\nDi,[redacted]"
)]
#[case::table_of_quotes(
    "\"User ID\"; \"API Key\"; \"x\"\nSECRET; \"SECRET\" ;1\n",
    "\"User ID\"; \"API Key\"; \"x\"\n[redacted]; \"[redacted]\" ;1\n"
)]
#[case::table_of_tabs("a\ttoken\tb\n\tSECRET\t\n", "a\ttoken\tb\n\t[redacted]\t\n")]
#[case::table_of_bars(
    "| a | token |\n|---|------|\n| 1 | SECRET |\n",
    "| a | token |\n|---|------|\n| 1 | [redacted] |\n"
)]
#[case::table_with_a_cell_too_many(
    "a,token,b\n1,SECRET,2\n1,SEC,RET,2\n",
    "a,token,b\n1,[redacted],2\n1,[redacted],[redacted],2\n"
)]
#[case::table_with_a_lone_quote("a,token\n\"1,SECRET\n2,SECRET\n", "a,token\n\"1,[redacted]\n2,[redacted]\n")]
#[case::table_with_blanks(
    "name, password\nAnn, SECRET\nBob, x\n",
    "name, password\nAnn, [redacted]\nBob, [redacted]\n"
)]
#[case::table_with_blanks_in_its_names("User name, API key\nAnn, SECRET1\n", "User name, API key\nAnn, [redacted]\n")]
#[case::table_whose_first_row_has_too_many("a,token\n1,SEC,RET\n", "a,token\n1,[redacted],[redacted]\n")]
#[case::table_whose_first_row_has_too_few("a,token,b\n1,SECRET\n", "a,token,b\n1,[redacted]\n")]
#[case::table_whose_first_row_is_a_title("a,token\nall\n1,SECRET\n", "a,token\nall\n1,[redacted]\n")]
#[case::table_that_states_its_separator(
    "sep=;\r\na, b;token\r\n1;SECRET\r\n",
    "sep=;\r\na, b;token\r\n1;[redacted]\r\n"
)]
#[case::table_with_a_quote_within(
    "a,token\n\"1,SECRET\n2,SECRET\nx,\"y\n",
    "a,token\n\"1,[redacted]\n2,[redacted]\nx,[redacted]\n"
)]
#[case::table_with_a_quote_closed_too_late(
    "a,token\n\"1,SECRET\n2,SECRET\n3,12\"\n4,SECRET\n",
    "a,token\n\"1,[redacted]\n2,[redacted]\n3,[redacted]\n4,[redacted]\n"
)]
#[case::table_in_json(r#"{"csv":"a,token\r\n1,SECRET\r\n"}"#, r#"{"csv":"a,token\r\n1,[redacted]\r\n"}"#)]
#[case::json_in_a_cell(
    "id,meta\n1,\"{\"\"password\"\":\"\"SECRET\"\",\"\"token\"\":\"\"\"\",\"\"a\"\":1}\"\n",
    "id,meta\n1,\"{\"\"password\"\":\"\"[redacted]\"\",\"\"token\"\":\"\"\"\",\"\"a\"\":1}\"\n"
)]
#[case::json_with_quotes_in_a_cell(
    "id,meta\n1,\"{\"\"password\"\":\"\"ab\\\"\"cd\\\"\"\"\",\"\"token\"\":\"\"ab\\\\\"\",\"\"a\"\":\"\"b\"\"}\"\n",
    "id,meta\n1,\"{\"\"password\"\":\"\"[redacted]\"\",\"\"token\"\":\"\"[redacted]\"\",\"\"a\"\":\"\"b\"\"}\"\n"
)]
#[case::json_with_signs_in_a_cell(
    "id,meta\n1,\"{\"\"password\"\":\"\"&SECRET\"\",\"\"token\"\": \"\"\\\\SEC\"\",\"\"otp\"\":\"\" }\"\"}\"\n",
    "id,meta\n1,\"{\"\"password\"\":\"\"[redacted]\"\",\"\"token\"\": \"\"[redacted]\"\",\"\"otp\"\":\"\"[redacted]\"\"}\"\n"
)]
#[case::escaped_quotes_in_xml(
    "<r><d>{&quot;password&quot;:&quot;SEC\\&quot;RET&quot;,&quot;a&quot;:1}</d></r>",
    "<r><d>{&quot;password&quot;:&quot;[redacted]&quot;,&quot;a&quot;:1}</d></r>"
)]
#[case::python_signs("password = \"\"\"&SECRET\"\"\"\nx = 1\n", "password = \"\"\"[redacted]\"\"\"\nx = 1\n")]
#[case::python("password = \"\"\"SECRET\"\"\"\ntoken = \"\"\n", "password = \"\"\"[redacted]\"\"\"\ntoken = \"\"\n")]
#[case::table_behind_a_sentence(
    r#"{"text":"Hi, here they are:\n\n| user | password |\n|---|---|\n| bob | SECRET |\n\nBye, bob"}"#,
    r#"{"text":"Hi, here they are:\n\n| user | password |\n|---|---|\n| bob | [redacted] |\n\nBye, bob"}"#
)]
#[case::table_below_a_title("Users\r\nname,password\r\nAnn,SECRET\r\n", "Users\r\nname,password\r\nAnn,[redacted]\r\n")]
// Base64 of `{"password":"SECRET"}`, as it is, with line ends, of a form, and once more.
#[case::base64_of_json(r#"{"data":"eyJwYXNzd29yZCI6IlNFQ1JFVCJ9","a":1}"#, r#"{"data":"[redacted]","a":1}"#)]
#[case::base64_in_lines(r#"["eyJwYXNzd29yZCI6\r\nIlNFQ1JFVCJ9\r\n"]"#, r#"["[redacted]"]"#)]
#[case::base64_of_a_form(r#"["YT0xJnBhc3N3b3JkPVNFQ1JFVA"]"#, r#"["[redacted]"]"#)]
#[case::base64_twice(r#"["ZXlKd1lYTnpkMjl5WkNJNklsTkZRMUpGVkNKOQ=="]"#, r#"["[redacted]"]"#)]
#[case::base64_in_a_form("a=eyJwYXNzd29yZCI6IlNFQ1JFVCJ9&b=2", "a=[redacted]&b=2")]
#[case::base64_alone("eyJwYXNzd29yZCI6IlNFQ1JFVCJ9", "[redacted]")]
#[case::base64_in_xml(
    "<a><b>\neyJwYXNzd29yZCI6IlNFQ1JFVCJ9\n</b><c><![CDATA[eyJwYXNzd29yZCI6IlNFQ1JFVCJ9]]></c><d>eyJhIjoxLCJiIjoyfQ==</d></a>",
    "<a><b>\n[redacted]\n</b><c><![CDATA[[redacted]]]></c><d>eyJhIjoxLCJiIjoyfQ==</d></a>"
)]
// Strings of XML: each is read as any string is.
#[case::xml_in_xml(
    "<r><v>&lt;password&gt;SECRET&lt;/password&gt;&#x20;a</v></r>",
    "<r><v>&lt;password&gt;[redacted]&lt;/password&gt;&#x20;a</v></r>"
)]
#[case::xml_in_a_section("<v><![CDATA[<otp>SECRET</otp>]]></v>", "<v><![CDATA[<otp>[redacted]</otp>]]></v>")]
#[case::object_in_xml(
    "<r><v>\n {\"credentials\":{\"key\":\"SECRET\",\"n\":7}}</v><v>&amp;</v></r>",
    "<r><v>\n {\"credentials\":{\"key\":\"[redacted]\",\"n\":\"[redacted]\"}}</v><v>&amp;</v></r>"
)]
#[case::object_with_entities_in_xml(
    "<v>{&quot;credentials&quot;:{&#34;key&#x22;:&quot;SECRET&quot;,&quot;n&quot;:7}}</v>",
    "<v>{&quot;credentials&quot;:{&#34;key&#x22;:&quot;[redacted]&quot;,&quot;n&quot;:&quot;[redacted]&quot;}}</v>"
)]
#[case::object_in_a_section(
    "<v>a <![CDATA[{\"a\":\"<b>c</b>\",\"credentials\":{\"key\":\"SECRET\"}}]]> b</v>",
    "<v>a <![CDATA[{\"a\":\"<b>c</b>\",\"credentials\":{\"key\":\"[redacted]\"}}]]> b</v>"
)]
#[case::object_in_a_comment(
    "<v><!-- [{\"key\":\"otp\",\"value\":\"SECRET\"}] --></v>",
    "<v><!-- [{\"key\":\"otp\",\"value\":\"[redacted]\"}] --></v>"
)]
#[case::escaped_name_in_xml("<v>{\"\\u0070assword\":\"SECRET\"}</v>", "<v>{\"\\u0070assword\":\"[redacted]\"}</v>")]
#[case::form_in_xml(
    "<v>a=1&amp;payload=%7B%22password%22%3A%22SECRET%22%7D&amp;b=2</v>",
    "<v>a=1&amp;payload=%7B%22password%22%3A%22[redacted]%22%7D&amp;b=2</v>"
)]
#[case::attributes(
    "<v a='[{\"name\":\"otp\",\"value\":7}]' b=\"{&quot;credentials&quot;:{&quot;k&quot;:7}}\" c=\"x&amp;y\"/>",
    "<v a='[{\"name\":\"otp\",\"value\":\"[redacted]\"}]' b=\"{&quot;credentials&quot;:{&quot;k&quot;:&quot;[redacted]&quot;}}\" c=\"x&amp;y\"/>"
)]
#[case::xml_in_xml_in_json(
    r#"{"x":"<v>&lt;otp&gt;SECRET&lt;/otp&gt;\n</v>"}"#,
    r#"{"x":"<v>&lt;otp&gt;[redacted]&lt;/otp&gt;\n</v>"}"#
)]
#[case::name_in_a_section(
    "<p><name><![CDATA[password]]></name><value>SECRET</value></p>",
    "<p><name><![CDATA[password]]></name><value>[redacted]</value></p>"
)]
#[case::name_beside_a_comment(
    "<p><name><!-- c -->password</name><value>SECRET</value></p>",
    "<p><name><!-- c -->password</name><value>[redacted]</value></p>"
)]
#[case::escaped_with_a_sign_of_parameters(
    r#"["%7B%22a%22%3A1%2C%22credentials%22%3A%7B%22key%22%3A%22SECRET==%22%7D%7D"]"#,
    r#"["%7B%22a%22%3A1%2C%22credentials%22%3A%7B%22key%22%3A%22[redacted]%22"]"#
)]
#[case::entities_in_a_string(r#"["&lt;otp&gt;SECRET&lt;/otp&gt;"]"#, r#"["&lt;otp&gt;[redacted]&lt;/otp&gt;"]"#)]
#[case::string_of_json(
    r#""{\"credentials\":{\"key\":\"SECRET\"}}""#,
    r#""{\"credentials\":{\"key\":\"[redacted]\"}}""#
)]
// JSON behind something else.
#[case::events(
    "event: a\ndata: {\"credentials\":{\"key\":\"SECRET\"}}\n\ndata: [{\"name\":\"otp\",\"value\":\"SECRET\"}]\n\n",
    "event: a\ndata: {\"credentials\":{\"key\":\"[redacted]\"}}\n\ndata: [{\"name\":\"otp\",\"value\":\"[redacted]\"}]\n\n"
)]
#[case::call_of_an_object(r#"cb({"credentials":{"key":"SECRET"}})"#, r#"cb({"credentials":{"key":"[redacted]"}})"#)]
#[case::call_of_an_object_with_an_address(
    r#"cb({"url":"https://x/?a=b","credentials":{"key":"SECRET"}})"#,
    r#"cb({"url":"https://x/?a=b","credentials":{"key":"[redacted]"}})"#
)]
// What looks like a string of JSON, or an address, at its ends only.
#[case::quoted_cells(
    "\"name\",\"password\"\n\"C:\\\\x\",\"SECRET1\"\n\"u\",\"SECRET\"",
    "\"name\",\"password\"\n\"C:\\\\x\",\"[redacted]\"\n\"u\",\"[redacted]\""
)]
#[case::quoted_pairs(
    r#""level":"info","msg":"a\nb","password":"SECRET""#,
    r#""level":"info","msg":"a\nb","password":"[redacted]""#
)]
#[case::parameters_with_an_address("password=a,SECRET&next=https://x/?y=1", "password=[redacted]&next=https://x/?y=1")]
#[case::json_beside_an_address(
    r#"payload={"credentials":{"key":"SECRET"}}&url=https://x/?a=b"#,
    r#"payload={"credentials":{"key":"[redacted]"}}&url=https://x/?a=b"#
)]
// What has the signs of markup, of JSON or of escapes, and is none or not that alone.
#[case::mention(
    r#"<@U024BE7LH> use {"credentials":{"key":"SECRET"}}"#,
    r#"<@U024BE7LH> use {"credentials":{"key":"[redacted]"}}"#
)]
#[case::mention_in_a_string(
    r#"["<@U1> {\"credentials\":{\"key\":\"SECRET\"}}", "<!here> &lt;otp&gt;SECRET&lt;/otp&gt;"]"#,
    r#"["<@U1> {\"credentials\":{\"key\":\"[redacted]\"}}", "<!here> &lt;otp&gt;[redacted]&lt;/otp&gt;"]"#
)]
#[case::sign_of_a_closing_tag("a </ b &lt;otp&gt;SECRET&lt;/otp&gt;", "a </ b &lt;otp&gt;[redacted]&lt;/otp&gt;")]
#[case::entity_in_json(
    "data: {\"item\":\"27&quot; monitor\",\"credentials\":{\"key\":\"SECRET\"}}\n\n",
    "data: {\"item\":\"27&quot; monitor\",\"credentials\":{\"key\":\"[redacted]\"}}\n\n"
)]
#[case::entity_of_a_line_end(
    "data: {\"m\":\"a&#10;b\",\"credentials\":{\"key\":\"SECRET\"}}\n\n",
    "data: {\"m\":\"a&#10;b\",\"credentials\":{\"key\":\"[redacted]\"}}\n\n"
)]
#[case::escape_in_json(
    r#"data:{"m":"a%22b","credentials":{"key":"SECRET"}}"#,
    r#"data:{"m":"a%22b","credentials":{"key":"[redacted]"}}"#
)]
#[case::line_of_a_log(
    r#"[INFO] 27" screen: {"credentials":{"key":"SECRET"}}"#,
    r#"[INFO] 27" screen: {"credentials":{"key":"[redacted]"}}"#
)]
#[case::json_with_blanks(
    r#"got { "credentials": { "key": "SECRET" } } and [ {"name":"otp","value":1} ]"#,
    r#"got { "credentials": { "key": "[redacted]" } } and [ {"name":"otp","value":"[redacted]"} ]"#
)]
#[case::number_behind_words(r#"data: {"password":1234}"#, r#"data: {"password":"[redacted]"}"#)]
#[case::parameter_behind_a_semicolon(
    "a=1;pass=SEC,RET&b=2&amp;iban=SEC,RET",
    "a=1;pass=[redacted]&b=2&amp;iban=[redacted]"
)]
#[case::cookies(r#"{"cookies":["sid=SECRET"]}"#, r#"{"cookies":["[redacted]"]}"#)]
#[case::data_address(r#"["data:application/json;base64,eyJwYXNzd29yZCI6IlNFQ1JFVCJ9"]"#, r#"["[redacted]"]"#)]
#[case::auth(
    r#"{"auth":{"x":"SECRET"},"basicAuth":"SECRET","authCode":"SECRET"}"#,
    r#"{"auth":{"x":"[redacted]"},"basicAuth":"[redacted]","authCode":"[redacted]"}"#
)]
fn what_is_secret_is_masked_wherever_it_stands(#[case] from: &str, #[case] to: &str) {
    assert_eq!(body(from), to);
    assert_eq!(body(to), to, "again");
}

#[rstest]
#[case::sentences(r#"["I lost the token: what now?", "signature: expected another", "Unexpected token: }"]"#)]
#[case::paths(r#"["arn:aws:secretsmanager:eu:1:secret:x", "Token::new", "urn:ietf:params:oauth:token-type:jwt"]"#)]
#[case::hosts(r#"["secrets.example.com:8080", "https://token.example.com:443/"]"#)]
#[case::others(
    r#"["max_tokens: 100", "a=b", "12:30:45", "Basic plan", "bearer of news", "123.45.67.89", "2.345345345345345"]"#
)]
#[case::lists(r#"["email","phone","password"]"#)]
#[case::markup("<p>Reset your password</p><e a='b'>c</e>")]
#[case::strings_of_markup(
    "<p>a &lt; b &amp; {c} <![CDATA[<d>]]> e </ f <!-- g --> %7B</p><h i='&lt;j&gt;k&lt;/j&gt;'/>"
)]
#[case::no_markup("a </ b /> {\"c\":[\"d\"]} &lt;e&gt; \"f\"")]
#[case::numbers(r#"["call 212 555 1234", "000 12 3456", "1.123.45.6789", "123 45.6789"]"#)]
#[case::base64(r#"["aGVsbG8gd29ybGQ=", "iVBORw0KGgo==", "eyJhIjoxLCJiIjoyfQ==", "passwordpassword"]"#)]
#[case::no_tables("Hi, your token\nis here, thanks\n")]
#[case::no_tables_of_sentences("Sorry, wrong password\nI forgot, sorry\n")]
#[case::no_tables_of_many("Hi, I lost my password, please\nhelp me, thanks\n")]
#[case::no_table_of_one("My token, please\nThanks\n")]
#[case::no_table_below_it("name,password\none two three\n")]
#[case::list_of_names("name,password,token")]
#[case::padding_behind_a_name(r#"["ZXlKMFpYaDBJam9pUjJWTHc2bEJZVUVpZlE9PQ=="]"#)]
#[case::table_without_secrets("name,city\nAnn,Athens\n")]
#[case::sessions(r#"{"session":"a","sessionId":"b","session_id":"c","oauth":true,"requires_auth":true,"author":"d"}"#)]
fn what_is_no_secret_stays(#[case] text: &str) {
    assert_eq!(body(text), text);
}

#[rstest]
#[case("123 45 6789")]
#[case("123.45.6789")]
#[case("123\u{2011}45\u{2011}6789")]
#[case("4111.1111.1111.1111")]
#[case("4111\u{a0}1111\u{a0}1111\u{a0}1111")]
#[case("3782_822463_10005")]
#[case("SG.a1B2c3d4e5f6g7h8i9j0k1.a1B2c3d4e5f6g7h8i9j0k1l2m3n4")]
#[case("ya29.a0AfH6SMBx1Bx1Bx1Bx1Bx1")]
#[case("npm_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2")]
#[case("hf_aBcDaBcDaBcDaBcDaBcDaBcDaBcDaBcDab")]
#[case("123456789:AAFa1B2c3d4a1B2c3d4a1B2c3d4a1B2c3d4")]
#[case("/services/T00000000/B00000000/ABCDEFGHIJKLMNOP")]
fn numbers_and_tokens_are_known_by_their_look(#[case] secret: &str) {
    assert_eq!(redaction().text(&format!("here: {secret} ok")), "here: [redacted] ok");
}

#[rstest]
#[case::separator("sep=;\nname;password\nAnn;SECRET\n", "sep=;\nname;password\nAnn;[redacted]\n")]
#[case::odd_names("n=1,<b>,password:\n1,2,SECRET\n", "n=1,<b>,password:\n1,2,[redacted]\n")]
#[case::long_names(
    "what they said to us when we asked,password\nx,SECRET\n",
    "what they said to us when we asked,password\nx,[redacted]\n"
)]
#[case::base64(
    "a,b\n1,eyJwYXNzd29yZCI6IlNFQ1JFVCJ9\n2,eyJhIjoxLCJiIjoyfQ==\n",
    "a,b\n1,[redacted]\n2,eyJhIjoxLCJiIjoyfQ==\n"
)]
#[case::others("a,b\nHello,\"you, and I\"\n", "a,b\nHello,\"you, and I\"\n")]
fn tables_that_are_said_to_be_some_hide_nothing(#[case] from: &str, #[case] to: &str) {
    let call = redaction().call(&with(&[("content-type", "text/csv")], from));
    assert_eq!(call.request.body, to);
    assert_eq!(redaction().call(&call), call);
}

#[test]
fn headers_and_paths_hide_nothing() {
    let headers = [
        ("x-upstream", "Bearer SECRET", "[redacted]"),
        ("x-url", "https://u:SECRET@h/", "https://[redacted]@h/"),
        ("cf-access-jwt-assertion", "SECRET", "[redacted]"),
        (
            "link",
            "</x?page=2&token=SECRET>; rel=next, <https://h/?token=SECRET>; rel=\"last\"",
            "</x?page=2&token=[redacted]>; rel=next, <https://h/?token=[redacted]>; rel=\"last\"",
        ),
        (
            "content-disposition",
            "attachment; filename=\"password=SECRET.txt\"",
            "attachment; filename=\"password=[redacted]\"",
        ),
        ("x-data", r#"[{"name":"password","value":"SECRET"}]"#, r#"[{"name":"password","value":"[redacted]"}]"#),
        ("x-data", r#"[{"credentials":{"key":"a?b=c#d"}}]"#, r#"[{"credentials":{"key":"[redacted]"}}]"#),
        (
            "x-data",
            "payload=%7B%22password%22%3A%22SECRET%22%2C%22a%22%3A1%7D",
            "payload=%7B%22password%22%3A%22[redacted]%22%2C%22a%22%3A1%7D",
        ),
        ("x-data", "%7B%22password%22%3A%22SECRET%22%7D", "%7B%22password%22%3A%22[redacted]%22%7D"),
        ("x-data", "a=1&%65mail=SECRET", "a=1&%65mail=[redacted]"),
        ("x-data", "<r><otp>SECRET</otp></r>", "<r><otp>[redacted]</otp></r>"),
        ("accept", "text/html,*/*;q=0.8", "text/html,*/*;q=0.8"),
    ];
    for (name, value, masked) in headers {
        let call = redaction().call(&with(&[(name, value)], ""));
        assert_eq!(call.request.headers.get(name), Some(masked));
        assert_eq!(redaction().call(&call), call);
    }
    for (target, masked) in [
        ("/p;token=SECRET/q;a=1?b=c", "/p;token=[redacted]/q;a=1?b=c"),
        ("/x;jsessionid=SECRET", "/x;jsessionid=[redacted]"),
        ("/x?a=1;token=SECRET", "/x?a=1;token=[redacted]"),
        ("/a/%7B%22otp%22%3A%22SECRET%22%7D/b", "/a/%7B%22otp%22%3A%22[redacted]%22%7D/b"),
        ("/a/eyJwYXNzd29yZCI6IlNFQ1JFVCJ9/eyJhIjoxLCJiIjoyfQ", "/a/[redacted]/eyJhIjoxLCJiIjoyfQ"),
        ("/x?%7B%22password%22%3A%22SECRET%22%7D", "/x?%7B%22password%22%3A%22[redacted]%22%7D"),
        ("/x?user%5Bssn%5D=SECRET&a[b]=c", "/x?user%5Bssn%5D=[redacted]&a[b]=c"),
        (
            "/x?next=https%253A%252F%252Fe%252F%253Ftoken%253DSECRET",
            "/x?next=https%253A%252F%252Fe%252F%253Ftoken%253D[redacted]",
        ),
    ] {
        assert_eq!(redaction().target(target), masked);
    }
}

#[rstest]
#[case::escaped_name("Content-Disposition: form-data; name=\"x\"; name*=UTF-8''pass%77ord", "SECRET", None)]
#[case::folded("Content-Disposition: form-data;\r\n name=\"password\"", "SECRET", None)]
#[case::base64(
    "Content-Disposition: form-data; name=f\r\nContent-Transfer-Encoding: base64",
    "eyJwYXNzd29yZCI6\r\nIlNFQ1JFVCJ9",
    None
)]
#[case::header(
    "Content-Disposition: form-data; name=f\r\nAuthorization: SECRET\r\n more",
    "x",
    Some("Content-Disposition: form-data; name=f\r\nAuthorization: [redacted]\r\n [redacted]")
)]
#[case::file(
    "Content-Disposition: form-data; name=f; filename=\"password=SECRET.json\"",
    "x",
    Some("Content-Disposition: form-data; name=f; filename=\"password=[redacted]\"")
)]
#[case::header_with_json(
    "Content-Disposition: form-data; name=f\r\nX-Data: %5B%7B%22otp%22%3A%22SECRET%22%7D%5D",
    "x",
    Some("Content-Disposition: form-data; name=f\r\nX-Data: %5B%7B%22otp%22%3A%22[redacted]%22%7D%5D")
)]
fn parts_hide_nothing(#[case] head: &str, #[case] content: &str, #[case] masked: Option<&str>) {
    let body = |head: &str, content: &str| format!("--X\r\n{head}\r\n\r\n{content}\r\n--X--\r\n");
    let call = with(&[("content-type", "multipart/form-data; boundary=X")], &body(head, content));
    let expected = masked.map_or_else(|| body(head, "[redacted]"), |head| body(head, content));
    let call = redaction().call(&call);
    assert_eq!(call.request.body, expected);
    assert_eq!(redaction().call(&call), call);
}

#[test]
fn what_somebody_wrote_is_masked_by_names_and_what_hooktape_says_is_not() {
    let note =
        "card 4111 1111 1111 1111 password: SECRET Authorization: Bearer SECRET token=SECRET https://u:SECRET@h/";
    let masked =
        "card [redacted] password: [redacted] Authorization: [redacted] token=[redacted] https://[redacted]@h/";
    assert_eq!(redaction().prose(note), masked);
    assert_eq!(redaction().prose(masked), masked);
    assert_eq!(redaction().text("signature: MISSING"), "signature: MISSING");
}

#[test]
fn xml_that_stands_too_deep_in_xml_is_masked_whole() {
    let nested = |times: usize, inside: &str| {
        let escaped = |text: String| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        (0..times).fold(inside.to_owned(), |text, _| format!("<a>{}</a>", escaped(text)))
    };
    assert_eq!(body(&nested(4, "<b/>")), nested(4, "<b/>"));
    assert_eq!(body(&nested(5, "<b/>")), nested(5, "[redacted]"));
    assert_eq!(body(&nested(5, "text")), nested(5, "text"));
}
