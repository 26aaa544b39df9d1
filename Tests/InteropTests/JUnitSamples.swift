/// Reports as the tools write them.
enum JUnitSamples {
    static let xctest = """
        <?xml version="1.0" encoding="UTF-8"?>

        <testsuites>
        <testsuite name="TestResults" errors="0" tests="3" failures="1" skipped="0" time="0.412">
        <testcase classname="ShopTests.FavoritesTests" name="testAddStoresARow" time="0.021">
        </testcase>
        <testcase classname="ShopTests.FavoritesTests" name="testListShowsIt" time="0.018">
        <failure message="failed"></failure>
        </testcase>
        <testcase classname="ShopTests.PostsTests" name="testReads" time="0.2"/>
        </testsuite>
        </testsuites>
        """

    static let swiftTesting = """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites>
          <testsuite name="TestResults" errors="0" tests="2" failures="1" skipped="1" time="0.003">
            <testcase classname="ShopTests.Favorites" name="adds(product:)" time="0.001" />
            <testcase classname="ShopTests.Favorites" name="&quot;the list shows it&quot;" time="0.002">
              <failure message="Expectation failed: (rows → 0) == 1" />
              <failure message="Expectation failed: list.contains(product)" />
            </testcase>
            <testcase classname="ShopTests.Favorites" name="isFast()">
              <skipped />
            </testcase>
          </testsuite>
        </testsuites>
        """

    static let gotestsum = """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites tests="3" failures="1" errors="0" time="1.284">
        \t<testsuite tests="2" failures="0" time="0.004" name="example.test/shop/favorites" timestamp="2026-01-02T10:00:00Z">
        \t\t<properties><property name="go.version" value="go1.24 linux/amd64"></property></properties>
        \t\t<testcase classname="example.test/shop/favorites" name="TestAdd" time="0.000000"></testcase>
        \t\t<testcase classname="example.test/shop/favorites" name="TestAdd/twice" time="0.000000"></testcase>
        \t</testsuite>
        \t<testsuite tests="1" failures="1" time="0.010" name="example.test/shop/posts" timestamp="2026-01-02T10:00:01Z">
        \t\t<testcase classname="example.test/shop/posts" name="TestMain" time="0.010000">
        \t\t\t<failure message="Failed" type="">panic: runtime error: index out of range&#xA;goroutine 7</failure>
        \t\t</testcase>
        \t</testsuite>
        </testsuites>
        """

    /// A package that did not build: the root says so, no case does.
    static let gotestsumBuildFailure = """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites tests="1" failures="0" errors="2" time="0.9">
        \t<testsuite tests="1" failures="0" time="0.004" name="example.test/shop/favorites">
        \t\t<testcase classname="example.test/shop/favorites" name="TestAdd" time="0.000000"></testcase>
        \t</testsuite>
        </testsuites>
        """

    static let pytest = """
        <?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" \
        failures="1" skipped="2" tests="5" time="0.051" hostname="ci"><testcase classname="tests.test_favorites" \
        name="test_add" time="0.001" /><testcase classname="tests.test_favorites" name="test_list" time="0.001"><failure \
        message="assert 0 == 1">def test_list():
        &gt;       assert 0 == 1
        E       assert 0 == 1</failure></testcase><testcase classname="tests.test_posts" name="test_read" time="0.001">\
        <error message="failed on setup with &quot;OSError: no database&quot;">Traceback</error></testcase><testcase \
        classname="tests.test_posts" name="test_slow" time="0.000"><skipped type="pytest.skip" message="slow">x</skipped>\
        </testcase><testcase classname="tests.test_posts" name="test_known" time="0.001"><skipped type="pytest.xfail" \
        message="" /></testcase></testsuite></testsuites>
        """

    static let surefire = """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="surefire.xsd" \
        version="3.0.2" name="test.shop.FavoritesTest" time="0.3" tests="3" errors="0" skipped="0" failures="1" flakes="1">
          <properties>
            <property name="java.version" value="21"/>
          </properties>
          <testcase name="adds" classname="test.shop.FavoritesTest" time="0.01"/>
          <testcase name="lists" classname="test.shop.FavoritesTest" time="0.02">
            <flakyFailure message="expected: 1 but was: 0" type="AssertionError"><stackTrace>at …</stackTrace></flakyFailure>
          </testcase>
          <testcase name="removes" classname="test.shop.FavoritesTest" time="0.03">
            <failure type="org.opentest4j.AssertionFailedError"><![CDATA[
              expected: <204> but was: <500>
              at test.shop.FavoritesTest.removes(FavoritesTest.java:31)]]></failure>
            <rerunFailure message="again" type="AssertionError"/>
            <system-out><![CDATA[<testcase name="printed, not run"/>]]></system-out>
          </testcase>
        </testsuite>
        """

    static let all = [xctest, swiftTesting, gotestsum, gotestsumBuildFailure, pytest, surefire]
}
